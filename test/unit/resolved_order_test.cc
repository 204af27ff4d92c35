// A stored order is calculated again exactly as it was: whatever a calculation reads of an order has to be stored with
// it.
#include "codec/resolved_order.hpp"

#include "codec/result_writer.hpp"
#include "core/error.hpp"
#include "core/program/tree.hpp"

#include "unit/build.hpp"
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
        // A calculation knows what every gift is worth that may be given.
        c.order.gifts.assign(program.reads.gifts.size(), {"Gift", program.price(250)});
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

// Two lines, of a promotion with limits, and a member with an open code.
struct Stored {
    Program program;
    std::string json;

    // The detail of the error that the document gives once `from` was replaced in it.
    std::string with(const std::string& from, const std::string& to) const {
        std::string changed = json;
        EXPECT_NE(changed.find(from), std::string::npos) << from << " in " << json;
        changed.replace(changed.find(from), from.size(), to);
        return build::error_of([&] { codec::read_resolved_order(changed, program); }).detail();
    }
};

Stored stored_order() {
    build::TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.tree.partners.push_back({"acme", std::nullopt});
    builder.tree.partner_products.push_back({"P1", "acme", build::decimal("5"), std::nullopt, std::nullopt});
    builder.promotion("p", {build::on_order({build::benefit("discount", {{"percent", "10"}})})}).usage_limits.max_uses =
        1;
    Order order = build::OrderBuilder().line("1", 100, "2").line("2", 300).shipping(50).balance(700).redeem(0).get();
    order.buyer.key = "ann";
    order.lines[0].partner_product = 0;
    order.allowances.push_back({0, Allowance::Uses::used_up, std::nullopt, std::nullopt});
    PromoCode code{"A", std::nullopt, PromoCodeStatus::not_used};
    code.facts.emplace().pool = "spring";
    order.promo_codes.push_back(code);
    Stored stored{compile(builder.tree, 1), {}};
    stored.json = written(stored.program, order);
    return stored;
}

// A document that somebody has changed is no order that could be calculated: found by fuzzing.
TEST(ResolvedOrder, RefusesWhatNoOrderIs) {
    const Stored stored = stored_order();
    EXPECT_EQ(stored.with("\"ann\"", "\"bob\""), "");
    EXPECT_EQ(stored.with("\"quantity\":2", "\"quantity\":0"), "At $.lines[0].quantity, the value is 0.");
    EXPECT_EQ(stored.with("\"quantity\":2", "\"quantity\":3"), "At $.lines[0].base, the value is 2.00.");
    EXPECT_EQ(stored.with("\"price\":1.00", "\"price\":-1"), "At $.lines[0].price, the value is -1.");
    EXPECT_EQ(stored.with("\"quantity\":2", "\"quantity\":2,\"position\":1"), "At $.lines, the value is an array.");
    EXPECT_EQ(stored.with("\"quantity\":2", "\"quantity\":2,\"position\":2"), "At $.lines, the value is an array.");
    EXPECT_EQ(stored.with("\"quantity\":2", "\"quantity\":2,\"position\":4294967296"),
              "At $.lines[0].position, the value is 4294967296.");
    EXPECT_EQ(stored.with("\"id\":\"1\"", "\"id\":\"2\""), "At $.lines, the value is an array.");
    EXPECT_EQ(stored.with("\"partner_product\":0", "\"partner_product\":1"),
              "At $.lines[0].partner_product, the value is 1.");
    EXPECT_EQ(stored.with("\"kind\":\"member\"", "\"kind\":\"guest\""), "At $.buyer.balances, the value is an array.");
    EXPECT_EQ(stored.with("\"active\":7.00", "\"active\":-7"), "At $.buyer.balances[0].active, the value is -7.");
    EXPECT_EQ(stored.with("\"pool\":\"spring\",", ""), "At $.promo_codes[0].status, the value is \"not_used\".");
    EXPECT_EQ(stored.with("\"used_up\"", "\"uncounted\""), "At $.allowances[0].uses, the value is \"uncounted\".");
    EXPECT_EQ(stored.with("\"shipping\":0.50", "\"shipping\":-0.5"), "At $.shipping, the value is -0.5.");
}

}  // namespace
}  // namespace loyalty
