// Any bytes as the context of loyalty_test. Only errors of the domain come out.
#include "codec/context_reader.hpp"
#include "fuzz/shop.hpp"

#include <cstddef>
#include <cstdint>
#include <set>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace loyalty;
    fuzz::allow_errors([&] {
        const TestContext context = codec::read_context({reinterpret_cast<const char*>(data), size});
        if (!context.member) return;
        for (const auto* names : {&context.member->tiers, &context.member->segments, &context.member->promo_codes})
            fuzz::demand(std::set<std::string>(names->begin(), names->end()).size() == names->size(),
                         "a name occurs once");
    });
    return 0;
}
