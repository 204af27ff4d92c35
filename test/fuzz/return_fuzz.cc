// Any bytes as the lines of a return. What is read comes back of a line with that quantity in three steps, which add up. Only
// errors of the domain come out.
#include "codec/return_reader.hpp"
#include "core/calculate/returns.hpp"
#include "fuzz/shop.hpp"

#include <cstddef>
#include <cstdint>
#include <set>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace loyalty;
    fuzz::allow_errors([&] {
        std::set<std::string> lines;
        for (const auto& item : codec::read_returned_items({reinterpret_cast<const char*>(data), size})) {
            fuzz::demand(lines.insert(item.line).second, "a line occurs once");
            fuzz::demand(item.quantity > Quantity{}, "a quantity is above 0");
            const std::int64_t figure = 1'234'567;
            std::int64_t sum = 0;
            Quantity before;
            for (const std::int64_t divisor : {3, 2, 1}) {
                const Quantity after{item.quantity.units / divisor};
                const std::int64_t part = part_of(figure, {item.quantity, before, after});
                fuzz::demand(part >= 0, "nothing is taken back");
                sum += part;
                before = after;
            }
            fuzz::demand(sum == figure, "the last unit brings all");
        }
    });
    return 0;
}
