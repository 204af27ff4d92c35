// A stored order is calculated again exactly as it was: whatever a calculation reads of an order has to be stored with it.
#include "codec/resolved_order.hpp"

#include "codec/result_writer.hpp"
#include "core/error.hpp"
#include "core/tree.hpp"

#include "unit/json_text_writer.hpp"
#include "unit/random_case.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

std::string written(const Program& program, const Order& order) {
    codec::JsonTextWriter out;
    codec::write_resolved_order(out, program, order, {"new", "open"});
    return out.take();
}

std::string calculated(const Program& program, const Order& order) {
    CalculationOptions options;
    options.is_credited = [](std::string_view credit_on) { return credit_on == "new"; };
    codec::JsonTextWriter out;
    codec::write_result(out, program, order, calculate(program, order, options), {OrderDocument(), std::string()});
    return out.take();
}

// What conditions of other promotions than those of random trees ask for.
void state_where_and_when(Order& order, std::mt19937_64& random) {
    const auto moment = static_cast<std::int64_t>(random() >> 10);
    order.time = {moment, moment + 3'600 * second_us};
    if (random() % 2) order.channel = "web";
    if (random() % 2) order.contact_point = "cart";
    if (random() % 2) order.region = "77";
    const auto code = [](const char* given, PromoCodeStatus status) {
        PromoCode code{given, std::nullopt, status};
        if (status != PromoCodeStatus::unknown_code) code.facts.emplace().pool = "spring";
        return code;
    };
    order.promo_codes = {code("A", PromoCodeStatus::expired), code("B", PromoCodeStatus::not_used),
                         code("C", PromoCodeStatus::unknown_code)};
}

TEST(ResolvedOrder, IsCalculatedAgainTheSame) {
    std::mt19937_64 random(64);
    for (int round = 0; round < 400; round++) {
        Case c = random_case(random, 1 + round % 10);
        if (c.order.buyer.kind != BuyerKind::anonymous) c.order.buyer.key = "ann";
        if (c.order.buyer.kind != BuyerKind::member) c.order.buyer.balances.clear();
        const Program program = compile(c.tree, 1);
        state_where_and_when(c.order, random);
        const codec::ResolvedOrder again = codec::read_resolved_order(written(program, c.order), program);
        ASSERT_EQ(written(program, again.order), written(program, c.order));
        ASSERT_EQ(calculated(program, again.order), calculated(program, c.order)) << to_string(c);
        ASSERT_TRUE(again.order.time == c.order.time && again.order.time.local_us == c.order.time.local_us);
        ASSERT_EQ(again.credited, (std::vector<std::string>{"new", "open"}));
    }
}

TEST(ResolvedOrder, RefusesWhatItDidNotWrite) {
    std::mt19937_64 random(1);
    const Program program = compile(random_case(random, 1).tree, 1);
    EXPECT_THROW(codec::read_resolved_order("[]", program), Error);
    EXPECT_THROW(codec::read_resolved_order("{}", program), Error);
    EXPECT_THROW(
        codec::read_resolved_order(
            R"({"buyer": {"kind": "king", "balances": []}, "shipping": 0, "lines": [], "redeem": [], "credited": []})",
            program),
        Error);
    EXPECT_THROW(
        codec::read_resolved_order(
            R"({"buyer": {"kind": "anonymous", "balances": []}, "shipping": 0.001, "lines": [], "redeem": [], "credited": []})",
            program),
        Error);
    EXPECT_THROW(
        codec::read_resolved_order(
            R"({"buyer": {"kind": "anonymous", "values": [], "segments": ["x"], "tiers": [], "balances": []}})",
            program),
        Error);
}

}  // namespace
}  // namespace loyalty
