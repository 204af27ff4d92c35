// Any bytes as orders: as one that is submitted, as those of a test, as those of an import. What is read is resolved and
// calculated by a fixed program. Only errors of the domain come out.
#include "codec/order_reader.hpp"
#include "fuzz/shop.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace loyalty;
    static const Program program = fuzz::everything();
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    fuzz::allow_errors([&] { fuzz::calculate_and_check(program, codec::read_order(json)); });
    fuzz::allow_errors([&] {
        for (const auto& order : codec::read_test_orders(json)) fuzz::calculate_and_check(program, order);
    });
    fuzz::allow_errors([&] {
        for (const auto& order : codec::read_imported_orders(json))
            fuzz::demand(order.external_id && !order.lines.empty(), "an imported order has an id and lines");
    });
    return 0;
}
