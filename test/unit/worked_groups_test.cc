// Worked by hand: groups within groups, limits at several levels, order discounts and shipping, and gifts. Figures in
// cents unless they have a point.

#include "unit/worked_case.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using namespace worked;
using build::benefit;
using build::decimal;

OrderBuilder hundred() { return OrderBuilder().line("a", 10000); }

// --- Order discounts and shipping
// -----------------------------------------------------------------------------------------

// 10 % of 9.99 = 0.999 -> 1.00 over three equal lines: 33.33 cents each, the one left over to the first.
TEST(WorkedOrders, ARemainderGoesToTheEarlierLine) {
    Shop shop;
    shop.on_order("d", {percent("10")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 333).line("b", 333).line("c", 333)), (Bill{{299, 300, 300}}));
}

// 10.00 off 12.00 + 24.00 + shipping 4.00 = 40.00: a quarter of each.
TEST(WorkedOrders, GoodsAndShipping) {
    Shop shop;
    shop.on_order("d", {discount({{"amount", "10"}, {"target", "order"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1200).line("b", 2400).shipping(400)), (Bill{{900, 1800}, 300}));
}

// 5 % of 9.99 + 0.99 + 5.00 = 15.98 is 0.799 -> 0.80. 80 × 999/1598 = 50.01, × 99/1598 = 4.96, × 500/1598 = 25.03: 50,
// 4, 25, and the one left over to the largest remainder, b's.
TEST(WorkedOrders, GoodsAndShippingRoundedOnce) {
    Shop shop;
    shop.on_order("d", {discount({{"percent", "5"}, {"target", "order"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 999).line("b", 99).shipping(500)), (Bill{{949, 94}, 475}));
}

TEST(WorkedOrders, ShippingAlone) {
    Shop shop;
    shop.on_order("d", {discount({{"percent", "100"}, {"target", "shipping"}})});
    EXPECT_EQ(bill(shop, hundred().shipping(500)), (Bill{{10000}, 0}));
}

// 30.00 off goods of 12.00: no more than they cost, and nothing of the shipping.
TEST(WorkedOrders, NoMoreThanTheGoods) {
    Shop shop;
    shop.on_order("d", {amount("30")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1200).shipping(500)), (Bill{{0}, 500}));
}

// 20 % of 20.00 = 4.00, 2.00 each; a's floor of 9.50 takes 0.50 of it, and the rest is lost, not moved to b.
TEST(WorkedOrders, WhatAFloorRefusesIsLost) {
    Shop shop;
    shop.on_order("d", {percent("20")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).min_price(950).line("b", 1000)), (Bill{{950, 800}}));
}

// Of 4.00, an amount, what a refuses goes to b.
TEST(WorkedOrders, WhatAFloorRefusesOfAnAmountIsMoved) {
    Shop shop;
    shop.on_order("d", {amount("4")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).min_price(950).line("b", 1000)), (Bill{{950, 650}}));
}

// With a cap of 1.25 on 20 %: shares of 0.50 and 2.00 allowed by the floors, 1.25 × 50/250 = 0.25 and 1.00.
TEST(WorkedOrders, ACapIsAllottedOverWhatFloorsLeave) {
    Shop shop;
    shop.main().max_discount_amount = decimal("1.25");
    shop.on_order("d", {percent("20")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).min_price(950).line("b", 1000)), (Bill{{975, 900}}));
}

// 10.00 off goods and shipping of 10.00 each: 5.00 and 5.00. The cap of 1.00 is for goods alone.
TEST(WorkedOrders, LimitsDoNotConcernShipping) {
    Shop shop;
    shop.main().max_discount_amount = decimal("1");
    shop.on_order("d", {discount({{"amount", "10"}, {"target", "order"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).shipping(1000)), (Bill{{900}, 500}));
}

// --- Groups within groups
// -------------------------------------------------------------------------------------------------

// Sum of 10 % and 10 % of 100.00: 80.00. Then 10 %: 72.00.
TEST(WorkedGroups, SummationInConsistent) {
    Shop shop;
    shop.group("sum", Arbitration::summation);
    shop.on_products("a", {percent("10")}, "sum");
    shop.on_products("b", {percent("10")}, "sum");
    shop.on_products("c", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{7200}}));
}

// 10 % then 10 %: 81.00, that is 19.00 off; added to 10.00 off: 71.00.
TEST(WorkedGroups, ConsistentInSummation) {
    Shop shop(Arbitration::summation);
    shop.group("one", Arbitration::consistent);
    shop.on_products("a", {percent("10")}, "one");
    shop.on_products("b", {percent("10")}, "one");
    shop.on_products("c", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{7100}}));
}

// The group gives 5.00 (its first). With 10 %: consistent 100 -> 95 -> 85.50, sum 5 + 10 = 15.00: 85.00 is the best.
TEST(WorkedGroups, IncompatibilityInMaxBenefit) {
    Shop shop(Arbitration::max_benefit);
    shop.group("one", Arbitration::incompatibility);
    shop.on_products("a", {percent("5")}, "one");
    shop.on_products("b", {percent("20")}, "one");
    shop.on_products("c", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{8500}}));
}

// The best of 20 % and 15 % is their sum, 35.00; plus 10.00: 55.00.
TEST(WorkedGroups, MaxBenefitInSummation) {
    Shop shop(Arbitration::summation);
    shop.group("best", Arbitration::max_benefit);
    shop.on_products("a", {percent("20")}, "best");
    shop.on_products("b", {percent("15")}, "best");
    shop.on_products("c", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{5500}}));
}

// Sum 10 + 10 = 20.00; with 15 %: consistent 80 × 0.85 = 68.00, sum 20 + 15: 65.00.
TEST(WorkedGroups, SummationInMaxBenefit) {
    Shop shop(Arbitration::max_benefit);
    shop.group("sum", Arbitration::summation);
    shop.on_products("a", {percent("10")}, "sum");
    shop.on_products("b", {percent("10")}, "sum");
    shop.on_products("c", {percent("15")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{6500}}));
}

// Three levels. The inner best: 30 % and 20 % of 100.00, 50.00 off as a sum. The first of the incompatible takes the
// line with that; its sibling finds nothing. Then 10 % of 50.00.
TEST(WorkedGroups, ThreeLevels) {
    Shop shop;
    shop.group("one", Arbitration::incompatibility);
    shop.group("best", Arbitration::max_benefit, "one");
    shop.on_products("a", {percent("30")}, "best");
    shop.on_products("b", {percent("20")}, "best");
    shop.on_products("c", {percent("90")}, "one");
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{4500}}));
}

// The group sees b only, a being taken: 10 % of a; of the group 20 % and then 10 % of b: 100 -> 80 -> 72.
TEST(WorkedGroups, AGroupSeesWhatIsFree) {
    Shop shop(Arbitration::incompatibility);
    shop.segment("A");
    shop.promotion("first", {build::on_products_in({"A"}, {percent("10")})});
    shop.group("rest", Arbitration::consistent);
    shop.on_products("b", {percent("20")}, "rest");
    shop.on_products("c", {percent("10")}, "rest");
    EXPECT_EQ(bill(shop, hundred().in_segments({0}).line("b", 10000)), (Bill{{9000, 7200}}));
}

// Parallel: 10 % and 5.00 of 100.00, 15.00 off; sequential: 90.00 − 5.00 as well, but the other way round 95.00 − 9.50.
TEST(WorkedGroups, ParallelAndSequentialBenefits) {
    Shop shop;
    TreePromotion& promotion = shop.on_products("p", {amount("5"), percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{8550}}));
    promotion.benefit_rule = BenefitRule::parallel;
    EXPECT_EQ(bill(shop, hundred()), (Bill{{8500}}));
}

// --- Limits at two levels
// -------------------------------------------------------------------------------------------------

// The group's 20 % = 20.00 is cut to 10.00; then 50 % of 90.00 = 45.00, of which main's 25.00 leave 15.00.
TEST(WorkedLimits, CapsOfGroupAndMain) {
    Shop shop;
    shop.main().max_discount_amount = decimal("25");
    shop.group("g", Arbitration::consistent).max_discount_amount = decimal("10");
    shop.on_products("a", {percent("20")}, "g");
    shop.on_products("b", {percent("50")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{7500}}));
}

// 10 % of all goods, 130.00, is 13.00: of a's 20.00 and b's 6.00 that is 10.00 and 3.00.
TEST(WorkedLimits, ACapInPercentOfAllGoods) {
    Shop shop;
    shop.main().max_discount_percent = decimal("10");
    shop.on_products("d", {percent("20")});
    EXPECT_EQ(bill(shop, hundred().line("b", 3000)), (Bill{{9000, 2700}}));
}

// 40 % is cut at the group's floor of 80.00; main's own promotion goes on to main's floor, 50 % of 100.00.
TEST(WorkedLimits, FloorsOfGroupAndMain) {
    Shop shop;
    shop.main().min_product_price_percent = decimal("50");
    shop.group("g", Arbitration::consistent).min_product_price_percent = decimal("80");
    shop.on_products("a", {percent("40")}, "g");
    shop.on_products("b", {percent("50")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{5000}}));
}

// The other way round the price is below the group's floor already: it is not raised, and the group gives nothing.
TEST(WorkedLimits, AFloorRaisesNoPrice) {
    Shop shop;
    shop.on_products("b", {percent("50")});
    shop.group("g", Arbitration::consistent).min_product_price_percent = decimal("80");
    shop.on_products("a", {percent("40")}, "g");
    EXPECT_EQ(bill(shop, hundred()), (Bill{{5000}}));
}

// A sum of 30.00 + 30.00 within 40.00 of the group and 35.00 of main: 35.00.
TEST(WorkedLimits, CapsOnASum) {
    Shop shop;
    shop.main().max_discount_amount = decimal("35");
    TreeGroup& group = shop.group("g", Arbitration::summation);
    group.max_discount_amount = decimal("40");
    shop.on_products("a", {percent("30")}, "g");
    shop.on_products("b", {percent("30")}, "g");
    EXPECT_EQ(bill(shop, hundred()), (Bill{{6500}}));
}

// Half of 3.00 and of 1.00 with a floor of 0.70 for each unit and a cap of 1.00: of a's 1.50 and b's
// 0.30 that is 0.83 and 0.17.
TEST(WorkedLimits, AFloorAndACap) {
    Shop shop;
    shop.main().max_discount_amount = decimal("1");
    shop.main().min_product_price_amount = decimal("0.7");
    shop.on_products("a", {percent("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 300).line("b", 100)), (Bill{{217, 83}}));
}

// Points count against a cap like money: 20.00 off, then 20 % of 80.00 = 16.00 by points, of which 10.00 are allowed.
TEST(WorkedLimits, PointsCountAgainstACap) {
    Shop shop;
    shop.main().max_discount_percent = decimal("30");
    shop.on_products("d", {percent("20")});
    shop.on_products("p", {pay("20")});
    EXPECT_EQ(bill(shop, hundred().balance(9900).redeem(0)), (Bill{{7000}, 0, 1000}));
}

// --- The best of benefits that cannot be added up
// -------------------------------------------------------------------------

// 10 % of 19.99 = 2.00, then down to 10.00: 9.99 off. The rounding alone takes as much, with fewer children.
TEST(WorkedBest, FewerChildrenWinATie) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("d", {percent("10")});
    shop.on_products("r", {round_price("tens")});
    const Calculation result = calculate(shop, OrderBuilder().line("a", 1999));
    EXPECT_EQ(result.total.units, 1000);
    EXPECT_EQ(result.trace.promotions[0].reason, Reason::not_chosen);
}

// 10 % (3.00) and down to tens (0.00 at 30.00): consistent 27.00 -> 20.00. A sum would give 27.00 and cannot be.
TEST(WorkedBest, RoundingsAreNotAddedUp) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("d", {percent("10")});
    shop.on_products("r", {round_price("tens")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 3000)), (Bill{{2000}}));
}

// The field's 70.00 and 50 %: consistent 70.00 × 0.5 = 35.00. A sum, 30.00 + 50.00 = 80.00 off, cannot be.
TEST(WorkedBest, PricesFromFieldsAreNotAddedUp) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("f", {field_price("vip")});
    shop.on_products("d", {percent("50")});
    EXPECT_EQ(bill(shop, hundred(), {{{"vip", "70"}}}), (Bill{{3500}}));
}

// 16.00 would rise to 20.00: better nothing.
TEST(WorkedBest, NoRaiseForItself) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("r", {round_price("nearest_ten")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1600)), (Bill{{1600}}));
}

// 8.00 raised to 10.00 costs 2.00, but 300 % of it back are 30 points instead of 24.
TEST(WorkedBest, ARaiseThatEarnsMore) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("r", {round_price("nearest_ten")});
    shop.on_products("p", {earn("300")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 800).balance(0)), (Bill{{1000}, 0, 0, 3000}));
}

// 20.05, up to tens: 30.00, 30 points for it, 9.60 off: 20.40, down to tens: 20.00. Worth 0.05 + 30 = 30.05. Without
// the first: 20.05 points, 10.45, down to 10.00. Worth 10.05 + 20.05 = 30.10. On the price of the start the last one
// takes 0.05 only.
TEST(WorkedBest, ARoundingIsWorthMoreLater) {
    Shop shop(Arbitration::max_benefit);
    shop.on_products("up", {benefit("round_price", {{"step", "10"}, {"direction", "up"}})});
    shop.on_products("p", {earn("100")});
    shop.on_products("d", {amount("9.6")});
    shop.on_products("down", {round_price("tens")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 2005).balance(0)), (Bill{{1000}, 0, 0, 2005}));
}

// A thousand qualification points are worth nothing here; 1.00 is.
TEST(WorkedBest, QualificationPointsAreWorthNothing) {
    Shop shop(Arbitration::max_benefit);
    shop.tree.point_types[0].kind = PointKind::qualification;
    shop.on_products("p", {points("accrue_points", {{"points", "1000"}})});
    shop.on_products("d", {percent("1")});
    EXPECT_EQ(bill(shop, hundred().balance(0)), (Bill{{9900}}));
}

// --- Texts and promo codes
// ------------------------------------------------------------------------------------------------

TreeBenefit text(const std::string& of) { return benefit("text", {{"template", of}}); }

// A text is an effect: the line is taken, and 10 % find nothing.
TEST(WorkedGifts, ATextTakesTheLine) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("t", {text("Thank you!")});
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{10000}}));
}

// A text for the order takes the order, not its lines.
TEST(WorkedGifts, ATextForTheOrderTakesTheOrder) {
    Shop shop(Arbitration::incompatibility);
    shop.on_order("t", {text("Thank you!")});
    shop.on_order("o", {percent("50")});
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, hundred()), (Bill{{9000}}));
}

// A promo code takes the order; who has no profile is given none, and the discount has it.
TEST(WorkedGifts, APromoCodeTakesTheOrder) {
    Shop shop(Arbitration::incompatibility);
    shop.on_order("c", {benefit("issue_promo_code", {{"pool", "welcome"}})});
    shop.on_order("o", {percent("50")});
    OrderBuilder order = hundred();
    EXPECT_EQ(bill(shop, order), (Bill{{5000}}));
    order.order.buyer.kind = BuyerKind::guest;
    EXPECT_EQ(bill(shop, order), (Bill{{10000}}));
}

// Texts go along with a sum.
TEST(WorkedGifts, TextsInASum) {
    Shop shop(Arbitration::summation);
    shop.on_products("t", {text("{{ line.total }}")});
    shop.on_products("d", {percent("10")});
    shop.on_products("e", {percent("10")});
    const Calculation result = calculate(shop, hundred());
    EXPECT_EQ(result.total.units, 8000);
    ASSERT_EQ(result.operations.size(), 3u);
    EXPECT_EQ(result.operations.back().text, "80.00");
}

// --- Units in incompatibility
// -----------------------------------------------------------------------------------------------

TreeBenefit first_item(const std::string& percent) { return discount({{"percent", percent}, {"max_items", "1"}}); }

// Of 3 units the first is free, the others are half the price; the same in three lines.
TEST(WorkedUnits, WhatIsNotPickedIsFreeForOthers) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("one", {first_item("100")});
    shop.on_products("half", {percent("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000, "3")), (Bill{{1000}}));
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).line("b", 1000).line("c", 1000)), (Bill{{0, 500, 500}}));
}

// A percentage off the order is based on the two units that are left.
TEST(WorkedUnits, TheOrderIsBasedOnFreeUnits) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("one", {first_item("100")});
    shop.on_order("tenth", {percent("10")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000, "3").line("b", 500)), (Bill{{1800, 450}}));
}

// Who takes the shipping takes nothing else, and needs nothing else.
TEST(WorkedUnits, ShippingIsATargetOfItsOwn) {
    Shop shop(Arbitration::incompatibility);
    shop.on_order("free", {discount({{"percent", "100"}, {"target", "shipping"}})});
    shop.on_order("tenth", {percent("10")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).shipping(500)), (Bill{{900}, 0}));
    std::swap(shop.tree.promotions[0].position, shop.tree.promotions[1].position);
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).shipping(500)), (Bill{{900}, 0}));
}

// 100 points for the order need the order only, a percentage of the price free goods, too.
TEST(WorkedUnits, FixedPointsNeedTheOrderOnly) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("half", {percent("50")});
    shop.on_order("earn", {points("accrue_points", {{"points", "100"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).balance(0)), (Bill{{500}, 0, 0, 10000}));
    shop.tree.promotions.back().conditions = {build::on_order({earn("10")})};
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).balance(0)), (Bill{{500}, 0, 0, 0}));
}

// Beside a discount of one unit a text takes that unit; alone it takes the line.
TEST(WorkedUnits, ATextGoesAlongWithWhatElseThereIs) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("one", {first_item("100"), text("One is free!")});
    shop.on_products("half", {percent("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000, "3")), (Bill{{1000}}));
}

// 50 % of two lines of 100.00 with a cap of 50.00: 25.00 each, in order or in parallel, and the same benefit twice.
TEST(WorkedLimits, ACapIsSharedByAllotmentInEveryRule) {
    for (const auto rule : {BenefitRule::sequential, BenefitRule::parallel}) {
        for (const std::size_t times : {1U, 2U}) {
            Shop shop;
            shop.main().max_discount_amount = decimal("50");
            shop.on_products("d", std::vector(times, percent("50"))).benefit_rule = rule;
            EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).line("b", 10000)), (Bill{{7500, 7500}}));
        }
    }
}

}  // namespace
}  // namespace loyalty
