#include "core/calculate/conditions.hpp"

#include "core/calculate/candidates.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;
using build::on_order;
using build::on_products;
using build::OrderBuilder;
using build::TreeBuilder;

TreeBenefit percent() { return benefit("discount", {{"percent", "10"}}); }

// One promotion for everyone, changed by `change`; the reason why `order` does not meet it.
template <class Change>
Reason reason_of(const Order& order, const Change& change) {
    TreeBuilder builder;
    Segment segment;
    segment.predicate = "$.a > 1";
    for (const char* id : {"a", "b", "c"}) {
        segment.id = id;
        builder.tree.order_segments.push_back(segment);
        builder.tree.profile_segments.push_back(segment);
    }
    change(builder.promotion("p", {on_products({percent()})}));
    return build::calculate(builder.tree, order).trace.promotions[0].reason;
}

Order order_at(std::int64_t unix_us) {
    Order order = OrderBuilder().line("1", 1'000).get();
    order.time = {unix_us, unix_us};
    return order;
}

Order member(std::vector<std::uint32_t> segments, std::vector<std::uint32_t> tiers) {
    Order order = order_at(0);
    order.buyer.kind = BuyerKind::member;
    order.buyer.segments = std::move(segments);
    order.buyer.tiers = std::move(tiers);
    return order;
}

TEST(Conditions, AudienceOfMembers) {
    const auto members = [](TreePromotion& p) { p.audience = Audience::members; };
    EXPECT_EQ(reason_of(order_at(0), members), Reason::not_in_audience);
    EXPECT_EQ(reason_of(member({}, {}), members), Reason::none);
}

TEST(Conditions, AudienceOfSegments) {
    const auto in_b_or_c = [](TreePromotion& p) {
        p.audience = Audience::in_segments;
        p.audience_segments = {"b", "c"};
    };
    EXPECT_EQ(reason_of(order_at(0), in_b_or_c), Reason::not_in_audience);
    EXPECT_EQ(reason_of(member({0}, {}), in_b_or_c), Reason::not_in_segments);
    EXPECT_EQ(reason_of(member({2}, {}), in_b_or_c), Reason::none);
    EXPECT_EQ(reason_of(member({1, 2}, {}), in_b_or_c), Reason::none);
    const auto outside_b = [](TreePromotion& p) {
        p.audience = Audience::outside_segments;
        p.audience_segments = {"b"};
    };
    EXPECT_EQ(reason_of(order_at(0), outside_b), Reason::not_in_audience);
    EXPECT_EQ(reason_of(member({0, 2}, {}), outside_b), Reason::none);
    EXPECT_EQ(reason_of(member({1}, {}), outside_b), Reason::in_excluded_segment);
}

TEST(Conditions, AudienceOfTiers) {
    const auto silver_or_gold = [](TreePromotion& p) {
        p.audience = Audience::tiers;
        p.audience_tiers = {"silver", "gold"};
    };
    EXPECT_EQ(reason_of(member({}, {}), silver_or_gold), Reason::tier_not_held);
    EXPECT_EQ(reason_of(member({}, {1}), silver_or_gold), Reason::none);
    EXPECT_EQ(reason_of(order_at(0), silver_or_gold), Reason::not_in_audience);
}

TEST(Conditions, DatesAndSchedule) {
    const auto dated = [](TreePromotion& p) {
        p.starts_at = LocalTime{100, 100};
        p.ends_at = LocalTime{200, 200};
        p.schedule.emplace();
        p.schedule->from_us = 0;
        p.schedule->to_us = 150;
    };
    EXPECT_EQ(reason_of(order_at(99), dated), Reason::not_started);
    EXPECT_EQ(reason_of(order_at(100), dated), Reason::none);
    EXPECT_EQ(reason_of(order_at(150), dated), Reason::not_scheduled);
    EXPECT_EQ(reason_of(order_at(200), dated), Reason::out_of_date);
}

TEST(Conditions, EveryCountsFromTheLocalDateOfTheStart) {
    const auto every_other_day = [](TreePromotion& p) {
        p.starts_at = LocalTime{0, -1};  // the day before, where the promotion is
        p.schedule.emplace();
        p.schedule->every = 2;
    };
    EXPECT_EQ(reason_of(order_at(0), every_other_day), Reason::not_scheduled);
    EXPECT_EQ(reason_of(order_at(day_us), every_other_day), Reason::none);
}

TEST(Conditions, GateChannelRegion) {
    const auto gated = [](TreePromotion& p) {
        p.pool = "birthday";
        p.channels = {"web"};
        p.contact_points = {"till"};
        p.regions = {"77", "78"};
    };
    Order order = order_at(0);
    EXPECT_EQ(reason_of(order, gated), Reason::no_promo_code);
    order.pools = {0};
    EXPECT_EQ(reason_of(order, gated), Reason::other_channel);
    order.contact_point = "till";
    EXPECT_EQ(reason_of(order, gated), Reason::other_region);
    order.region = "78";
    EXPECT_EQ(reason_of(order, gated), Reason::none);
    order.contact_point = "cart";
    EXPECT_EQ(reason_of(order, gated), Reason::other_channel);
    order.channel = "web";
    EXPECT_EQ(reason_of(order, gated), Reason::none);
    order.region = "";
    EXPECT_EQ(reason_of(order, gated), Reason::other_region);
}

TEST(Conditions, TheFirstReasonIsTold) {
    const auto everything = [](TreePromotion& p) {
        p.audience = Audience::members;
        p.starts_at = LocalTime{100, 100};
        p.pool = "birthday";
        p.regions = {"77"};
    };
    EXPECT_EQ(reason_of(order_at(0), everything), Reason::not_in_audience);
    EXPECT_EQ(reason_of(member({}, {}), everything), Reason::not_started);
    Order later = member({}, {});
    later.time = {100, 100};
    EXPECT_EQ(reason_of(later, everything), Reason::no_promo_code);
    for (const auto& [state, reason] :
         {std::pair{PromotionState::draft, Reason::draft}, std::pair{PromotionState::inactive, Reason::inactive},
          std::pair{PromotionState::ended, Reason::ended}}) {
        const PromotionState wanted = state;
        EXPECT_EQ(reason_of(order_at(0), [&](TreePromotion& p) { p.state = wanted; }), reason);
    }
    EXPECT_EQ(reason_of(order_at(0), [](TreePromotion& p) { p.conditions.clear(); }), Reason::no_conditions);
}

TEST(Conditions, OrderSegments) {
    Order order = order_at(0);
    order.segments = {0, 2};
    const auto on = [](ConditionMode mode, std::vector<std::string> segments) {
        return [=](TreePromotion& p) {
            p.conditions = {on_order({percent()})};
            p.conditions[0].mode = mode;
            p.conditions[0].segments = segments;
        };
    };
    EXPECT_EQ(reason_of(order, on(ConditionMode::in, {"a"})), Reason::none);
    EXPECT_EQ(reason_of(order, on(ConditionMode::in, {"a", "c"})), Reason::none);
    EXPECT_EQ(reason_of(order, on(ConditionMode::in, {"b"})), Reason::order_does_not_match);
    EXPECT_EQ(reason_of(order, on(ConditionMode::outside, {"b"})), Reason::none);
    EXPECT_EQ(reason_of(order, on(ConditionMode::outside, {"b", "c"})), Reason::order_does_not_match);
}

// Whatever key a condition is found by, the same promotions are met as by asking all of them.
// 10 % off the products, and 20 % off orders of segment a only: of a promotion each condition counts for itself.
TEST(Conditions, OneThatHoldsDoesNotSpeakForAnother) {
    TreeBuilder builder;
    Segment segment;
    segment.id = "a";
    builder.tree.order_segments.push_back(segment);
    TreeCondition large = on_order({benefit("discount", {{"percent", "20"}})});
    large.mode = ConditionMode::in;
    large.segments = {"a"};
    builder.promotion("p", {on_products({percent()}), large});
    Order order = order_at(0);
    EXPECT_EQ(build::calculate(builder.tree, order).total, Money{900});
    order.segments = {0};
    EXPECT_EQ(build::calculate(builder.tree, order).total, Money{720});
}

TEST(Conditions, AreFoundByTheirKeys) {
    TreeBuilder builder;
    Segment segment;
    segment.id = "s";
    segment.predicate = "$.a > 1";
    builder.tree.segments = builder.tree.order_segments = builder.tree.profile_segments = {segment};
    int number = 0;
    for (const Audience audience :
         {Audience::members, Audience::in_segments, Audience::outside_segments, Audience::tiers, Audience::everyone}) {
        for (const bool gated : {false, true}) {
            for (const Level level : {Level::product, Level::order}) {
                for (const ConditionMode mode : {ConditionMode::all, ConditionMode::in, ConditionMode::outside}) {
                    TreeCondition condition{level, mode, {}, {percent()}};
                    if (mode != ConditionMode::all) condition.segments = {"s"};
                    TreePromotion& p = builder.promotion("p" + std::to_string(number++), {condition});
                    p.audience = audience;
                    if (audience == Audience::in_segments || audience == Audience::outside_segments)
                        p.audience_segments = {"s"};
                    if (audience == Audience::tiers) p.audience_tiers = {"gold"};
                    if (gated) p.pool = "pool";
                }
            }
        }
    }
    const Program program = compile(builder.tree, 1);
    for (int bits = 0; bits < 64; bits++) {
        const auto list = [&](int bit) {
            return bits >> bit & 1 ? std::vector<std::uint32_t>{0} : std::vector<std::uint32_t>{};
        };
        Order order = member(list(0), list(1));
        if (bits >> 5 & 1) order.buyer = Buyer{};
        order.pools = list(2);
        order.segments = list(3);
        order.lines[0].segments = list(4);
        const Candidates candidates = find_candidates(program, order);
        for (Index i = 0; i < program.promotions.size(); i++) {
            const Promotion& promotion = program.promotions[i];
            const Condition& condition = program.conditions[promotion.first_condition];
            const auto& belongs = condition.level == Level::product ? order.lines[0].segments : order.segments;
            const bool fulfilled =
                condition.mode == ConditionMode::all || (condition.mode == ConditionMode::in) == !belongs.empty();
            const bool expected = fulfilled && find_obstacle(program, i, order) == Reason::none;
            EXPECT_EQ(candidates.refused[i] == Reason::none, expected) << promotion.id << " " << bits;
        }
    }
}

}  // namespace
}  // namespace loyalty
