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

TEST(ResolvedOrder, IsCalculatedAgainTheSame) {
    std::mt19937_64 random(64);
    for (int round = 0; round < 400; round++) {
        Case c = random_case(random, 1 + round % 10);
        if (c.order.buyer.kind != BuyerKind::anonymous) c.order.buyer.key = "ann";
        if (c.order.buyer.kind != BuyerKind::member) c.order.buyer.balances.clear();
        const Program program = compile(c.tree, 1);
        const codec::ResolvedOrder again = codec::read_resolved_order(written(program, c.order), program);
        ASSERT_EQ(written(program, again.order), written(program, c.order));
        ASSERT_EQ(calculated(program, again.order), calculated(program, c.order)) << to_string(c);
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
}

}  // namespace
}  // namespace loyalty
