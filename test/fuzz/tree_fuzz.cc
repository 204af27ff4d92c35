// Any bytes as a promotion tree: read, compiled, and if it makes sense used for a fixed order. Only errors of the domain come
// out.
#include "codec/order_reader.hpp"
#include "fuzz/shop.hpp"

#include <cstddef>
#include <cstdint>

namespace {

using namespace loyalty;

// Whole and broken quantities, equal prices, a line for nothing, a minimum price; somewhere, with codes.
constexpr const char* order = R"({
    "member": "ann", "shipping": 3.99, "contact_point": "cart", "region": "77", "promo_codes": ["A", "BB", "CCC", "SPRING"],
    "lines": [
        {"id": "d", "product": "P-1", "quantity": 3, "price": 10.01}, {"id": "a", "product": "P-2", "quantity": 0.375, "price": 99.99},
        {"id": "c", "product": "P-3", "quantity": 2, "price": 10.01, "min_price": 9.5}, {"id": "b", "product": "P-4", "quantity": 1, "price": 0},
        {"id": "e", "product": "P-5", "quantity": 1000, "price": 0.07}
    ]
})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::allow_errors([&] {
        const Program program = compile(codec::read_tree({reinterpret_cast<const char*>(data), size}), 1);
        OrderDocument document = codec::read_order(order);
        // He pays with all types of points that can pay.
        for (const auto& type : program.point_types) document.redeem.push_back({type.id, std::nullopt});
        fuzz::calculate_and_check(program, document);
    });
    return 0;
}
