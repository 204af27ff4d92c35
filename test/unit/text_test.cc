// Texts: their variables, and where a benefit may stand. Figures in cents.

#include "core/calculate/template.hpp"
#include "core/compile/compile.hpp"
#include "unit/worked_case.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using namespace worked;
using build::benefit;
using build::error_of;

TreeBenefit text(const std::string& of) { return benefit("text", {{"template", of}}); }

std::vector<std::string> texts(const Calculation& result) {
    std::vector<std::string> texts;
    for (const auto& operation : result.operations) {
        if (operation.entry.kind == Entry::Kind::text) texts.push_back(operation.text);
    }
    return texts;
}
using Texts = std::vector<std::string>;

// The text stands first in the tree and shows what comes after it: 3 × 4.00 − 10 % = 10.80, 10 % of that by points.
TEST(Text, ShowsTheFinalFigures) {
    Shop shop;
    shop.on_products(
        "t", {text("{{ line.id }} {{line.product}} {{ line.quantity }} × {{ line.base_price }} = {{ line.base }} - "
                   "{{ line.discount }} - {{ line.points_discount }} = {{ line.total }} ({{ line.price }} each)")});
    shop.on_products("d", {percent("10")});
    shop.on_products("p", {pay("10")});
    EXPECT_EQ(texts(calculate(shop, OrderBuilder().line("a", 400, "3").balance(9900).redeem(0))),
              (Texts{"a Pa 3 × 4.00 = 12.00 - 1.20 - 1.08 = 9.72 (3.24 each)"}));
}

// Of the order: 12.00 + 2.50 kg at 2.00, shipping 5.00; a text for the order comes once.
TEST(Text, ShowsTotalsAndPoints) {
    Shop shop;
    shop.on_order(
        "t",
        {text(
            "{{ totals.items }} in {{ totals.lines }}: {{ totals.goods }} of {{ totals.base }}, {{ totals.shipping }}, "
            "{{ totals.discount }}, {{ totals.points_discount }}, {{ totals.total }}, {{ totals.benefits }}; "
            "{{ member.points.bonus.total_before }} {{ member.points.bonus.active_before }} - "
            "{{ member.points.bonus.spent }} + {{ member.points.bonus.accrued }} = "
            "{{ member.points.bonus.total_after }} {{ member.points.bonus.active_after }}, "
            "{{ member.points.bonus.pending }}")});
    shop.on_order("p", {points("points_discount", {{"points", "2"}})});
    shop.on_order("q", {earn("10")});
    shop.on_order("r", {points("accrue_points", {{"points", "1"}, {"credit_on", "delivered"}})});
    EXPECT_EQ(
        texts(calculate(
            shop, OrderBuilder().line("a", 400, "3").line("b", 200, "2.5").shipping(500).balance(9900).redeem(0))),
        (Texts{"5.5 in 2: 15.00 of 22.00, 5.00, 0.00, 2.00, 20.00, 4; 99.00 99.00 - 2.00 + 1.50 = 98.50 98.50, 1.00"}));
}

// What the documents lack stays empty, and so do the points of guests.
TEST(Text, LeavesOutWhatIsNotThere) {
    Shop shop;
    shop.on_products("t", {text("[{{ line.fields.x }}{{ line.fields.y }}{{ member.key }}{{ member.points.bonus.spent }}"
                                "{{ order.channel }}{{ order.fields.note }}{{ member.profile.name }}]")});
    EXPECT_EQ(texts(calculate(shop, OrderBuilder().line("a", 400).line("b", 400), {{{"x", "red"}}, {{"y", "7.50"}}})),
              (Texts{"[red]", "[7.50]"}));
}

// Anything but a variable is copied byte by byte.
TEST(Text, IsCopiedAsItIs) {
    Shop shop;
    shop.on_order("t", {text("a } b }} c { d \n\xF0\x9F\x8E\x89 {{totals.lines}}{{\ttotals.lines }}")});
    EXPECT_EQ(texts(calculate(shop, OrderBuilder().line("a", 400))), (Texts{"a } b }} c { d \n\xF0\x9F\x8E\x89 11"}));
}

TEST(Text, RefusesVariablesThatDoNotExist) {
    for (const char* wrong :
         {"{{ line.colour }}", "{{ totals.sum }}", "{{ order }}", "{{ order.lines }}", "{{ member.name }}",
          "{{ member.points.stars.spent }}", "{{ promo_code }}", "{{ }}", "{{ line.id", "{{ line.fields. }}"}) {
        Shop shop;
        shop.on_products("t", {text(wrong)});
        EXPECT_EQ(error_of([&] { compile(shop.tree, 1); }).sqlstate(), sqlstate::invalid_benefit) << wrong;
    }
    Shop shop;
    shop.on_order("t", {text("{{ line.id }}")});
    EXPECT_EQ(error_of([&] { compile(shop.tree, 1); }).sqlstate(), sqlstate::invalid_benefit);
    Shop long_text;
    long_text.on_order("t", {text(std::string(Template::max_bytes + 1, 'x'))});
    EXPECT_EQ(error_of([&] { compile(long_text.tree, 1); }).sqlstate(), sqlstate::invalid_benefit);
}

// A message about a promo code is rendered, but for the code.
TEST(Text, OfAPromoCodeKeepsItsPlace) {
    Shop shop;
    shop.on_order("c",
                  {benefit("issue_promo_code", {{"pool", "w"}, {"message", "{{totals.total}}: {{promo_code}}!"}})});
    const Calculation result = calculate(shop, OrderBuilder().line("a", 400).balance(0));
    ASSERT_EQ(result.operations.size(), 1u);
    EXPECT_EQ(result.operations[0].text, "4.00: {{ promo_code }}!");
}

// One field of a megabyte on eleven lines.
TEST(Text, HasBounds) {
    Shop shop;
    shop.on_products("t", {text("{{ line.fields.x }}")});
    OrderBuilder order;
    Fields fields;
    for (int i = 0; i < 11; ++i) {
        order.line(std::string(1, static_cast<char>('a' + i)), 100);
        fields.push_back({{"x", std::string(1'000'000, 'x')}});
    }
    EXPECT_EQ(error_of([&] { calculate(shop, order, fields); }).sqlstate(), sqlstate::calculation_too_large);
    fields.pop_back();
    EXPECT_EQ(texts(calculate(shop, order, fields)).size(), 11u);
}

// --- Where benefits may stand
// ---------------------------------------------------------------------------------------------

Error refusal(const TreeBenefit& benefit, bool on_order, Arbitration around,
              BenefitRule rule = BenefitRule::sequential) {
    Shop shop;
    shop.group("outer", around);
    shop.group("inner", Arbitration::consistent, "outer");
    TreePromotion& promotion =
        on_order ? shop.on_order("p", {benefit}, "inner") : shop.on_products("p", {benefit}, "inner");
    promotion.benefit_rule = rule;
    return error_of([&] { compile(shop.tree, 1); });
}

TEST(Combination, WhatCannotBeAddedUp) {
    const auto in = [](const TreeBenefit& benefit, bool on_order, Arbitration around) {
        return refusal(benefit, on_order, around).sqlstate() == sqlstate::wrong_combination;
    };
    for (const Arbitration around :
         {Arbitration::consistent, Arbitration::incompatibility, Arbitration::summation, Arbitration::max_benefit}) {
        const bool sums = around == Arbitration::summation, compares = around == Arbitration::max_benefit;
        EXPECT_EQ(in(round_price("tens"), false, around), sums);
        EXPECT_EQ(in(round_order("tens"), true, around), sums);
        EXPECT_EQ(in(field_price("x"), false, around), sums);
        EXPECT_EQ(in(points("accrue_points_from_field", {{"field", "x"}}), false, around), sums);
        EXPECT_EQ(in(text("x"), false, around), compares);
        EXPECT_EQ(in(benefit("issue_promo_code", {{"pool", "x"}}), true, around), compares);
        EXPECT_FALSE(in(percent("5"), false, around));
        EXPECT_FALSE(in(benefit("partner_discount", {}), false, around));
        EXPECT_FALSE(in(points("partner_points", {{"mode", "pay"}}), false, around));
    }
}

TEST(Combination, NamesBenefitPromotionAndGroup) {
    const Error error = refusal(round_price("tens"), false, Arbitration::summation);
    EXPECT_EQ(error.message(), "benefit \"round_price\" of promotion \"p\" cannot stand under summation");
    EXPECT_EQ(error.detail(), "Group \"outer\" adds up what stands in it, and this one cannot be.");
    const Error parallel = refusal(round_price("tens"), false, Arbitration::consistent, BenefitRule::parallel);
    EXPECT_EQ(parallel.message(), "benefit \"round_price\" of promotion \"p\" cannot stand in a parallel promotion");
    EXPECT_EQ(refusal(text("x"), false, Arbitration::max_benefit).message(),
              "benefit \"text\" of promotion \"p\" cannot stand under max_benefit");
}

TEST(Combination, QualificationPointsCannotPay) {
    Shop shop;
    shop.tree.point_types[0].kind = PointKind::qualification;
    shop.on_products("p", {points("partner_points", {{"mode", "pay"}})});
    EXPECT_EQ(error_of([&] { compile(shop.tree, 1); }).sqlstate(), sqlstate::invalid_benefit);
}

}  // namespace
}  // namespace loyalty
