// Trees: read from JSON, checked, compiled.

#include "codec/tree_reader.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::benefit;
using build::decimal;
using build::error_of;
using build::on_order;
using build::on_products;
using build::on_products_in;
using build::TreeBuilder;

constexpr const char* small_tree = R"({
    "program": "main", "currency": "RUB", "currency_scale": 2, "time_zone": "Europe/Moscow",
    "point_types": [{"point_type": "bonus", "kind": "standard", "scale": 2, "ratio": 10}],
    "segments": [{"segment": "tv", "kind": "dynamic", "predicate": "$.price > 5", "predicate_id": 3, "reads_price": true},
                 {"segment": "list", "kind": "static"}],
    "order_segments": [{"segment": "large", "kind": "dynamic", "predicate": "$.total > 100"}], "profile_segments": [],
    "partners": [{"partner": "acme", "starts_on": "2026-02-28"}, {"partner": "other"}],
    "partner_products": [{"sku": "PC-1", "partner": "acme", "discount_percent": 7.5, "points_value": 3, "points_unit": "percent",
                          "max_payable_points": 100}],
    "groups": [{"group": "main", "name": "Main", "parent": null, "position": 0, "arbitration": "summation", "max_discount_percent": 50.5},
               {"group": "g", "name": "G", "parent": "main", "position": 1, "arbitration": "max_benefit", "min_product_price_amount": 1.25}],
    "promotions": [{"promotion": "p", "name": "P", "parent": "g", "position": 2, "kind": "discount", "state": "active", "audience": "everyone",
                    "benefit_rule": "parallel",
                    "conditions": [{"level": "product", "mode": "in", "segments": ["tv", "list"],
                                    "benefits": [{"benefit": "discount", "parameters": {"percent": 12.50}}]}]},
                   {"promotion": "draft", "name": "D", "parent": "g", "position": 1, "kind": "points", "state": "draft", "audience": "members",
                    "benefit_rule": "sequential", "conditions": []}]})";

TEST(TreeReader, ReadsATree) {
    const Tree tree = codec::read_tree(small_tree);
    EXPECT_EQ(tree.program, "main");
    EXPECT_EQ(tree.currency_scale, 2);
    ASSERT_EQ(tree.point_types.size(), 1u);
    EXPECT_EQ(tree.point_types[0].ratio, decimal("10"));
    ASSERT_EQ(tree.segments.size(), 2u);
    EXPECT_EQ(tree.segments[0].predicate, "$.price > 5");
    EXPECT_EQ(tree.segments[0].predicate_id, 3);
    EXPECT_TRUE(tree.segments[0].reads_price);
    EXPECT_FALSE(tree.segments[0].reads_fields);
    EXPECT_TRUE(tree.segments[1].is_static());
    ASSERT_EQ(tree.partners.size(), 2u);
    EXPECT_EQ(tree.partners[0].starts_on, 20'512);  // 56 years of 365 days, 14 leap days, 31 + 27 days
    EXPECT_EQ(tree.partners[1].starts_on, std::nullopt);
    ASSERT_EQ(tree.partner_products.size(), 1u);
    EXPECT_EQ(tree.partner_products[0].points_unit, ValueUnit::percent);
    EXPECT_EQ(tree.partner_products[0].max_payable_points, decimal("100"));
    ASSERT_EQ(tree.groups.size(), 2u);
    EXPECT_EQ(tree.groups[0].parent, "");
    EXPECT_EQ(tree.groups[0].arbitration, Arbitration::summation);
    EXPECT_EQ(tree.groups[0].max_discount_percent, decimal("50.5"));
    EXPECT_EQ(tree.groups[1].arbitration, Arbitration::max_benefit);
    EXPECT_EQ(tree.groups[1].min_product_price_amount, decimal("1.25"));
    ASSERT_EQ(tree.promotions.size(), 2u);
    EXPECT_EQ(tree.promotions[0].state, PromotionState::active);
    EXPECT_NE(tree.promotions[1].state, PromotionState::active);
    EXPECT_EQ(tree.promotions[0].benefit_rule, BenefitRule::parallel);
    EXPECT_EQ(tree.promotions[0].conditions[0].mode, ConditionMode::in);

    const Program program = compile(tree, 7);
    EXPECT_EQ(program.version, 7);
    ASSERT_EQ(program.groups.size(), 2u);
    EXPECT_EQ(program.groups[1].depth, 1);
    ASSERT_EQ(program.promotions.size(), 2u);
    EXPECT_EQ(program.promotions[0].state, PromotionState::draft);
    EXPECT_EQ(program.promotions[1].parent, 1u);
    EXPECT_EQ(program.conditions_of_segment[0], std::vector<Index>{0});
    EXPECT_EQ(program.conditions_of_segment[1], std::vector<Index>{0});
    EXPECT_TRUE(program.open_conditions.empty());
    EXPECT_EQ(program.point_type("bonus"), 0u);
    EXPECT_EQ(program.point_type("none"), none);
}

TEST(TreeReader, NamesMistakes) {
    const auto with = [](const std::string& from, const std::string& to) {
        std::string json = small_tree;
        json.replace(json.find(from), from.size(), to);
        return error_of([&] { codec::read_tree(json); });
    };
    EXPECT_EQ(with(R"("arbitration": "summation")", R"("arbitration": "sum")").detail(),
              "At $.groups[0].arbitration, the value is \"sum\".");
    EXPECT_EQ(with(R"("arbitration": "summation")", R"("arbitration": "sum")").sqlstate(), "LY102");
    EXPECT_EQ(with(R"("program": "main", )", "").sqlstate(), "LY103");
    EXPECT_EQ(with(R"("ratio": 10)", R"("ratio": "10")").detail(), "At $.point_types[0].ratio, the value is \"10\".");
    EXPECT_EQ(with(R"("position": 2)", R"("position": 2.5)").detail(),
              "At $.promotions[0].position, the value is 2.5.");
    EXPECT_EQ(with(R"({"percent": 12.50})", "[]").detail(),
              "At $.promotions[0].conditions[0].benefits[0].parameters, the value is an array.");
    const auto every = [&](const std::string& count) {
        return with(R"("parent": "g", "position": 2,)",
                    R"("parent": "g", "position": 2, "schedule": {"every": {"unit": "day", "count": )" + count + "}},");
    };
    EXPECT_EQ(every("2").sqlstate(), "");
    EXPECT_EQ(every("0").detail(), "At $.promotions[0].schedule.every.count, the value is 0.");
    EXPECT_EQ(every("4294967298").detail(), "At $.promotions[0].schedule.every.count, the value is 4294967298.");
}

// Found by fuzzing: an explanation names the start that the periods are counted from.
TEST(Compile, RefusesSchedulesThatSayNotWhen) {
    const auto refused = [](const auto& change) {
        TreeBuilder builder;
        change(builder.promotion("p", {on_order({benefit("discount", {{"percent", "10"}})})}));
        return error_of([&] { compile(builder.tree, 1); }).message();
    };
    const auto every_other_day = [](TreePromotion& p) { p.schedule.emplace().every = 2; };
    EXPECT_EQ(refused(every_other_day), "the schedule of promotion \"p\" counts from a start that it does not have");
    EXPECT_EQ(refused([&](TreePromotion& p) {
                  every_other_day(p);
                  p.starts_at = LocalTime{};
              }),
              "no error");
    const auto window = [&](std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
        return refused([&](TreePromotion& p) {
            p.schedule.emplace().from_us = from;
            p.schedule->to_us = to;
        });
    };
    EXPECT_EQ(window(day_us / 2, day_us), "no error");
    EXPECT_EQ(window(day_us / 2, std::nullopt), "the schedule of promotion \"p\" has no window of the day");
    EXPECT_EQ(window(std::nullopt, day_us), "the schedule of promotion \"p\" has no window of the day");
    EXPECT_EQ(window(-1, day_us), "the schedule of promotion \"p\" has no window of the day");
    EXPECT_EQ(window(0, day_us + 1), "the schedule of promotion \"p\" has no window of the day");
}

TEST(Compile, SortsChildrenByPositionThenId) {
    TreeBuilder builder;
    builder.promotion("b", {}).position = 5;
    builder.promotion("a", {}).position = 5;
    builder.group("first", Arbitration::consistent).position = -3;
    builder.promotion("last", {}).position = 6;
    const Program program = compile(builder.tree, 1);
    ASSERT_EQ(program.groups[0].children.size(), 4u);
    EXPECT_TRUE(program.groups[0].children[0].is_group);
    ASSERT_EQ(program.promotions.size(), 3u);
    EXPECT_EQ(program.promotions[0].id, "a");
    EXPECT_EQ(program.promotions[1].id, "b");
    EXPECT_EQ(program.promotions[2].id, "last");
}

Tree chain_of_groups(int groups) {
    TreeBuilder builder;
    std::string parent = "main";
    for (int i = 1; i <= groups; ++i) {
        const std::string id = "g" + std::to_string(i);
        builder.group(id, Arbitration::consistent, parent);
        parent = id;
    }
    builder.promotion("p", {on_products({benefit("discount", {{"percent", "10"}})})}, parent);
    return builder.tree;
}

TEST(Compile, NestsAtMostNineLevels) {
    EXPECT_EQ(compile(chain_of_groups(9), 1).groups.size(), 10u);
    const Error error = error_of([] { compile(chain_of_groups(10), 1); });
    EXPECT_EQ(error.sqlstate(), "LY302");
    EXPECT_NE(error.message().find("\"g10\""), std::string::npos) << error.message();
    // A hostile tree does not exhaust the stack.
    EXPECT_EQ(error_of([] { compile(chain_of_groups(20'000), 1); }).sqlstate(), "LY302");
}

TEST(Compile, RefusesTreesThatMakeNoSense) {
    const auto refused = [](auto change) {
        TreeBuilder builder;
        builder.point_type("bonus", "1");
        builder.point_type("status", "1", 0, PointKind::qualification);
        builder.segment("tv");
        change(builder);
        return error_of([&] { compile(builder.tree, 1); });
    };
    const auto has = [](const Error& error, const char* code, const char* text) {
        EXPECT_EQ(error.sqlstate(), code) << error.message();
        EXPECT_NE((error.message() + error.detail()).find(text), std::string::npos)
            << error.message() << " / " << error.detail();
    };
    has(refused([](TreeBuilder&) {}), "", "no error");
    has(refused([](TreeBuilder& b) { b.tree.groups.clear(); }), "LY302", "no main arbitration");
    has(refused([](TreeBuilder& b) { b.group("second", Arbitration::consistent, ""); }), "LY302",
        "no main arbitration");
    has(refused([](TreeBuilder& b) { b.group("g", Arbitration::consistent, "nowhere"); }), "LY302", "hang on no group");
    has(refused([](TreeBuilder& b) { b.promotion("p", {}, "nowhere"); }), "LY302", "hang on no group");
    has(refused([](TreeBuilder& b) { b.promotion("p", {}, "nowhere").state = PromotionState::inactive; }), "LY302",
        "hang on no group");
    has(refused([](TreeBuilder& b) {
            b.group("x", Arbitration::consistent, "y");
            b.group("y", Arbitration::consistent, "x");
        }),
        "LY302", "hang on no group");
    has(refused([](TreeBuilder& b) { b.group("x", Arbitration::consistent, "x"); }), "LY302", "hang on no group");
    has(refused([](TreeBuilder& b) { b.tree.point_types[0].ratio = Decimal(0); }), "LY302", "\"bonus\"");
    has(refused([](TreeBuilder& b) { b.tree.point_types[0].ratio = Decimal(-1); }), "LY302", "\"bonus\"");
    has(refused([](TreeBuilder& b) { b.main().max_discount_amount = decimal("0.001"); }), "LY302", "\"main\"");
    has(refused([](TreeBuilder& b) { b.promotion("p", {on_products_in({"tv", "radio"}, {})}); }), "LY302", "\"radio\"");
    has(refused([](TreeBuilder& b) { b.promotion("p", {on_products({benefit("gift", {})})}); }), "LY301", "\"gift\"");
    has(refused([](TreeBuilder& b) { b.promotion("p", {on_products({benefit("gift", {})})}); }), "LY301",
        "promotion \"p\"");
    has(refused([](TreeBuilder& b) {
            b.promotion("p", {on_products({benefit("discount", {{"percentage", "5"}})})});
        }),
        "LY301", "promotion \"p\"");
    has(refused([](TreeBuilder& b) {
            b.points_promotion("p", {on_products({benefit("discount", {{"percent", "5"}})})});
        }),
        "LY301", "points promotions");
    has(refused([](TreeBuilder& b) {
            b.promotion("p", {on_order({benefit("accrue_points", {{"point_type", "bonus"}, {"points", "5"}})})});
        }),
        "LY301", "discount promotions");
    has(refused([](TreeBuilder& b) {
            b.points_promotion("p",
                               {on_order({benefit("points_discount", {{"point_type", "gold"}, {"points", "5"}})})});
        }),
        "LY301", "gold");
    has(refused([](TreeBuilder& b) {
            b.points_promotion("p",
                               {on_order({benefit("points_discount", {{"point_type", "status"}, {"points", "5"}})})});
        }),
        "LY301", "status");
    has(refused([](TreeBuilder& b) {
            b.points_promotion("p",
                               {on_order({benefit("accrue_points", {{"point_type", "status"}, {"points", "5"}})})});
        }),
        "", "no error");
}

TEST(Compile, RefusesRatiosWithoutACommonMeasure) {
    TreeBuilder builder;
    for (const char* ratio : {"0.999999937", "0.999999929", "0.999999893"}) builder.point_type(ratio, ratio);
    EXPECT_EQ(error_of([&] { compile(builder.tree, 1); }).sqlstate(), "LY302");
}

}  // namespace
}  // namespace loyalty
