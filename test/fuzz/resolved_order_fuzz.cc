// Any bytes as the order that is stored for re-pricing. What is read is calculated by the program that it was stored with, and
// stored again. Only errors of the domain come out.
#include "fuzz/shop.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace loyalty;
    static const Program program = fuzz::everything();
    fuzz::allow_errors([&] {
        const codec::ResolvedOrder resolved =
            codec::read_resolved_order({reinterpret_cast<const char*>(data), size}, program);
        const std::string again = fuzz::stored(program, resolved.order);
        fuzz::demand(fuzz::stored(program, codec::read_resolved_order(again, program).order) == again,
                     "what is read is what was stored");
        const OrderDocument document;
        fuzz::calculate_and_check(program, resolved.order, {document, std::string()}, [&](std::string_view credit_on) {
            return std::find(resolved.credited.begin(), resolved.credited.end(), credit_on) != resolved.credited.end();
        });
    });
    return 0;
}
