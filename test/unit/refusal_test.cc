#include "core/explain/refusal.hpp"

#include "core/calculate/conditions.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;
using build::on_order;
using build::on_products;
using build::on_products_in;
using build::OrderBuilder;
using build::TreeBuilder;

// Two lines of 40.00 and 7.50 and shipping of 5.00, on Thursday, 1970-01-01, at 12:00.
Order small_order() {
    Order order = OrderBuilder().line("1", 4'000).line("2", 750, "2").shipping(500).get();
    order.time = {day_us / 2, day_us / 2};
    return order;
}

Segment segment(const std::string& id, const std::string& predicate = "") {
    Segment result;
    result.id = id;
    result.predicate = predicate;
    return result;
}

template <class Change>
std::string told(const Order& order, const Change& change) {
    TreeBuilder builder;
    builder.tree.segments = {segment("dear", R"(($."price" >= 50.5))"), segment("picks")};
    builder.tree.order_segments = {segment("large", R"(($."total" >= 72.4))"), segment("many", R"(($."items" > 5))"),
                                   segment("other", R"(($."channel" == "web"))"),
                                   segment("party", R"(($."fields"."guests" >= 8 && $."fields"."table"."size" < 6))")};
    builder.tree.profile_segments = {segment("vip"), segment("new")};
    change(builder.promotion("p", {on_order({benefit("discount", {{"percent", "10"}})})}));
    const Program program = compile(builder.tree, 1);
    CalculationOptions options;
    options.traces_refusals = true;
    options.is_credited = [](std::string_view) { return true; };
    const Calculation calculation = calculate(program, order, options);
    return describe_particulars(program, program.promotions[0], order, calculation.trace.promotions[0]);
}

TEST(Refusal, Audience) {
    Order order = small_order();
    const auto vip_or_new = [](TreePromotion& p) {
        p.audience = Audience::in_segments;
        p.audience_segments = {"vip", "new"};
    };
    EXPECT_EQ(told(order, vip_or_new), "the buyer is anonymous");
    order.buyer.kind = BuyerKind::guest;
    EXPECT_EQ(told(order, vip_or_new), "the buyer is a guest");
    order.buyer.kind = BuyerKind::member;
    EXPECT_EQ(told(order, vip_or_new), "vip, new");
    order.buyer.segments = {1};
    EXPECT_EQ(told(order,
                   [](TreePromotion& p) {
                       p.audience = Audience::outside_segments;
                       p.audience_segments = {"vip", "new"};
                   }),
              "new");
    const auto gold = [](TreePromotion& p) {
        p.audience = Audience::tiers;
        p.audience_tiers = {"gold"};
    };
    EXPECT_EQ(told(order, gold), "gold");
}

TEST(Refusal, DatesAndSchedules) {
    const Order order = small_order();
    EXPECT_EQ(told(order,
                   [](TreePromotion& p) {
                       p.starts_at = LocalTime{day_us, day_us};
                   }),
              "the order's time is 1970-01-01T12:00:00, it starts at 1970-01-02T00:00:00");
    EXPECT_EQ(told(order,
                   [](TreePromotion& p) {
                       p.ends_at = LocalTime{0, 0};
                   }),
              "the order's time is 1970-01-01T12:00:00, it ended at 1970-01-01T00:00:00");
    const auto scheduled = [&](const auto& change) {
        return told(order, [&](TreePromotion& p) {
            p.starts_at = LocalTime{-day_us, -day_us};
            p.schedule.emplace();
            change(*p.schedule);
        });
    };
    const std::string available = "the order's time is 1970-01-01T12:00:00, it is available ";
    EXPECT_EQ(scheduled([](Schedule& s) { s.months.set(2).set(12); }), available + "in months 2, 12");
    EXPECT_EQ(scheduled([](Schedule& s) { s.days_of_month.set(31); }), available + "on days 31 of the month");
    EXPECT_EQ(scheduled([](Schedule& s) { s.weekdays.set(1).set(7); }), available + "on Monday, Sunday");
    EXPECT_EQ(scheduled([](Schedule& s) {
                  s.from_us = day_us * 3 / 4;
                  s.to_us = day_us;
              }),
              available + "from 18:00 to 24:00");
    EXPECT_EQ(scheduled([](Schedule& s) { s.every = 2; }), available + "every 2 days from 1969-12-31T00:00:00");
}

TEST(Refusal, PromoCodeChannelRegion) {
    Order order = small_order();
    const auto gated = [](TreePromotion& p) { p.pool = "birthday"; };
    EXPECT_EQ(told(order, gated), "birthday");
    PromoCode code;
    code.given = "ANN-2";
    code.facts.emplace().pool = "birthday";
    code.status = PromoCodeStatus::expired;
    order.promo_codes.push_back(code);
    EXPECT_EQ(told(order, gated), "birthday; code ANN-2: expired");
    const auto placed = [](TreePromotion& p) {
        p.channels = {"web"};
        p.contact_points = {"till"};
    };
    EXPECT_EQ(told(order, placed), "the order has none, it is for web, till");
    order.channel = "store";
    order.contact_point = "till-2";
    EXPECT_EQ(told(order, placed), "the order's is store, till-2, it is for web, till");
    const auto regional = [](TreePromotion& p) { p.regions = {"77", "78"}; };
    EXPECT_EQ(told(order, regional), "the order has none, it is for 77, 78");
    order.region = "99";
    EXPECT_EQ(told(order, regional), "the order's is 99, it is for 77, 78");
}

TEST(Refusal, Points) {
    const auto pays = [](const Order& order) {
        TreeBuilder builder;
        builder.point_type("bonus", "10", 0);
        builder.points_promotion(
            "p", {on_products({benefit("points_discount", {{"point_type", "bonus"}, {"percent", "10"}})})});
        const Program program = compile(builder.tree, 1);
        const Calculation calculation = build::calculate(builder.tree, order);
        return describe_particulars(program, program.promotions[0], order, calculation.trace.promotions[0]);
    };
    EXPECT_EQ(pays(OrderBuilder().line("1", 4'000).balance(70).get()), "bonus, the active balance is 70");
    EXPECT_EQ(pays(OrderBuilder().line("1", 4'000).balance(70).redeem(0, 0).get()),
              "bonus, the active balance is 70, the order asks to redeem 0");
    EXPECT_EQ(pays(OrderBuilder().line("1", 4'000).balance(0).redeem(0).get()), "bonus, the active balance is 0");
    EXPECT_EQ(pays(OrderBuilder().line("1", 4'000).balance(70, false).redeem(0).get()), "bonus");
}

// Total 40.00 + 15.00 + 5.00 = 60.00, three items; the price nearest to 50.50 is 40.00.
TEST(Refusal, NearMisses) {
    Order order = small_order();
    const auto in = [&](std::vector<std::string> segments, ConditionMode mode = ConditionMode::in) {
        return told(order, [&](TreePromotion& p) {
            p.conditions[0].mode = mode;
            p.conditions[0].segments = segments;
        });
    };
    EXPECT_EQ(in({"large"}), "in large; total is 60.00, needed is >= 72.4: 12.40 more");
    EXPECT_EQ(in({"many", "other"}), "in many, other; items is 3, needed is > 5: over 2 more");
    EXPECT_EQ(in({"party"}), "in party");
    order.values = {{build::decimal("6.5"), "6.5"}, {build::decimal("4"), "4"}};
    EXPECT_EQ(in({"party"}), "in party; fields.guests is 6.5, needed is >= 8: 1.5 more");
    order.values = {{build::decimal("8"), "8"}, {build::decimal("6"), "6"}};
    EXPECT_EQ(in({"party"}), "in party; fields.table.size is 6, needed is < 6: over 0 less");
    order.values = {{std::nullopt, "many"}, {std::nullopt, ""}};
    EXPECT_EQ(in({"party"}), "in party");
    const auto products = [&](std::vector<std::string> segments) {
        return told(order, [&](TreePromotion& p) {
            p.conditions = {on_products_in(segments, {benefit("discount", {{"percent", "10"}})})};
        });
    };
    EXPECT_EQ(products({"picks"}), "in picks");
    EXPECT_EQ(products({"dear", "picks"}), "in dear, picks; line 1: price is 40.00, needed is >= 50.5: 10.50 more");
}

}  // namespace
}  // namespace loyalty
