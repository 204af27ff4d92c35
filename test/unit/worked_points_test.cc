// Worked by hand: points earned and paid with, short balances, and which units a limited benefit picks. Figures in
// cents, and hundredths of a point, unless they have a point.

#include "unit/worked_case.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using namespace worked;
using build::benefit;
using build::decimal;

// --- Points from fields, and for money spent
// ------------------------------------------------------------------------------

// 12 for each of 3 units = 36; b has no such field, c a negative one.
TEST(WorkedEarning, FromAField) {
    Shop shop;
    shop.on_products("p", {points("accrue_points_from_field", {{"field", "gift"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 100, "3").line("b", 100).line("c", 100).balance(0),
                   {{{"gift", "12"}}, {}, {{"gift", "-5"}}}),
              (Bill{{300, 100, 100}, 0, 0, 3600}));
}

// 0.333 for each of 1.5 kg = 0.4995 -> 0.50.
TEST(WorkedEarning, FromAFieldOnceRounded) {
    Shop shop;
    shop.on_products("p", {points("accrue_points_from_field", {{"field", "gift"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 100, "1.5").balance(0), {{{"gift", "0.333"}}}),
              (Bill{{150}, 0, 0, 50}));
}

Shop two_hundred_per_1500() {
    Shop shop;
    shop.on_products("p", {points("accrue_points_from_field", {{"points", "200"}, {"per_amount", "1500"}})});
    return shop;
}

// 1499.99 + 3000.00 = 4499.99: twice 1500.00, 400 points. × 149999/449999 = 133.3327, × 300000/449999 = 266.6673:
// 133.33 and 266.66, and the hundredth left over to the larger remainder, b's.
TEST(WorkedEarning, PerAmountSpentIsAttributed) {
    const Calculation result =
        calculate(two_hundred_per_1500(), OrderBuilder().line("a", 149'999).line("b", 300'000).balance(0));
    ASSERT_EQ(result.operations.size(), 2u);
    EXPECT_EQ(result.operations[0].entry.points.units, 13333);
    EXPECT_EQ(result.operations[1].entry.points.units, 26667);
}

// One cent short of the first 1500.00.
TEST(WorkedEarning, PerAmountSpentCountsFullAmountsOnly) {
    EXPECT_EQ(bill(two_hundred_per_1500(), OrderBuilder().line("a", 149'999).balance(0)).earned, 0);
    EXPECT_EQ(bill(two_hundred_per_1500(), OrderBuilder().line("a", 150'000).balance(0)).earned, 20000);
}

// 3000.00 − 10 % = 2700.00 is once 1500.00. Before the discount it would have been twice.
TEST(WorkedEarning, PerAmountReallySpent) {
    Shop shop;
    shop.on_products("d", {percent("10")});
    shop.on_products("p", {points("accrue_points_from_field", {{"points", "200"}, {"per_amount", "1500"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 300'000).balance(0)).earned, 20000);
    std::swap(shop.tree.promotions[0].position, shop.tree.promotions[1].position);
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 300'000).balance(0)).earned, 40000);
}

// Only lines that match count together: a and c, 1000.00 + 500.00.
TEST(WorkedEarning, PerAmountSpentOnMatchingLines) {
    Shop shop;
    shop.segment("A");
    shop.points_promotion("p", {build::on_products_in({"A"}, {points("accrue_points_from_field",
                                                                     {{"points", "200"}, {"per_amount", "1500"}})})});
    EXPECT_EQ(bill(shop, OrderBuilder()
                             .line("a", 100'000)
                             .in_segments({0})
                             .line("b", 900'000)
                             .line("c", 50'000)
                             .in_segments({0})
                             .balance(0))
                  .earned,
              20000);
}

// 5 % of 40.00 on products, before: 2.00; 10.00 off the order; 10 % of 30.00 on the order: 3.00.
TEST(WorkedEarning, BeforeAndAfterADiscount) {
    Shop shop;
    shop.on_products("p", {earn("5")});
    shop.on_order("d", {amount("10")});
    shop.on_order("q", {earn("10")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).line("b", 3000).balance(0)), (Bill{{750, 2250}, 0, 0, 500}));
}

// --- Short balances
// -------------------------------------------------------------------------------------------------------

// 15 % of 100.00 is 15.00; there are 7 points.
TEST(WorkedPayment, AsFarAsTheBalanceGoes) {
    Shop shop;
    shop.on_products("p", {pay("15")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(700).redeem(0)), (Bill{{9300}, 0, 700}));
}

TEST(WorkedPayment, AsFarAsTheRequestGoes) {
    Shop shop;
    shop.on_products("p", {pay("15")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(700).redeem(0, 500)), (Bill{{9500}, 0, 500}));
}

// 10 points at 3 for 1.00 are worth 3.33 (rounded down). 3.33 take 9.99 points: 10 (rounded up, the type has no
// decimals).
TEST(WorkedPayment, RoundsMoneyDownAndPointsUp) {
    Shop shop(Arbitration::consistent, "3", 0);
    shop.on_products("p", {pay("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(10).redeem(0)), (Bill{{9667}, 0, 10}));
}

// 30 % of 100.00 = 30.00, then 50 % of 70.00 = 35.00, of which 20.00 are left: 50.00.
TEST(WorkedPayment, TwoPromotionsShareABalance) {
    Shop shop;
    shop.on_products("p", {pay("30")});
    shop.on_products("q", {pay("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(5000).redeem(0)), (Bill{{5000}, 0, 5000}));
}

// 30.00 each are more than the 40.00 there are: 20.00 each.
TEST(WorkedPayment, LinesShareABalanceByAllotment) {
    Shop shop;
    shop.on_products("p", {pay("30")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).line("b", 10000).balance(4000).redeem(0)),
              (Bill{{8000, 8000}, 0, 4000}));
}

// 5 points at 3 for 1.00 are worth 1.666…: 1.66, which takes 4.98 and so 5; 1.67 would take 6. On products and on the
// order.
TEST(WorkedPayment, ANumberOfPointsNeverTakesMore) {
    Shop products(Arbitration::consistent, "3", 0), order(Arbitration::consistent, "3", 0);
    products.on_products("p", {points("points_discount", {{"points", "5"}})});
    order.on_order("p", {points("points_discount", {{"points", "5"}})});
    for (const Shop* shop : {&products, &order})
        EXPECT_EQ(bill(*shop, OrderBuilder().line("a", 10000).balance(100).redeem(0)), (Bill{{9834}, 0, 5}));
}

// Each child pays 30.00 of its own line within 40.00; the sum of 60.00 is cut to 40.00 by allotment: 20.00 each.
TEST(WorkedPayment, SumsShareABalanceByAllotment) {
    Shop shop(Arbitration::summation);
    shop.segment("A");
    shop.segment("B");
    shop.points_promotion("p", {build::on_products_in({"A"}, {pay("30")})});
    shop.points_promotion("q", {build::on_products_in({"B"}, {pay("30")})});
    EXPECT_EQ(
        bill(
            shop,
            OrderBuilder().line("a", 10000).in_segments({0}).line("b", 10000).in_segments({1}).balance(4000).redeem(0)),
        (Bill{{8000, 8000}, 0, 4000}));
}

// 30 % off and 30 % by points of 100.00, floor 60.00: the money first, 30.00; 10.00 of room are left for points.
TEST(WorkedPayment, SumsTakeMoneyBeforePoints) {
    Shop shop(Arbitration::summation);
    shop.main().min_product_price_amount = decimal("60");
    shop.on_products("p", {pay("30")});
    shop.on_products("d", {percent("30")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(9900).redeem(0)), (Bill{{6000}, 0, 1000}));
}

// 100 points at 2 for 1.00 are 50.00 over 10.00, 20.00, 30.00: 8.333, 16.667, 25.00 -> 8.33, 16.67, 25.00.
TEST(WorkedPayment, OfTheOrderIsAllotted) {
    Shop shop(Arbitration::consistent, "2");
    shop.on_order("p", {points("points_discount", {{"points", "100"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).line("b", 2000).line("c", 3000).balance(50'000).redeem(0)),
              (Bill{{167, 333, 500}, 0, 10000}));
}

// Guests neither pay with points nor earn them; the discount is for everyone.
TEST(WorkedPayment, IsForMembers) {
    Shop shop;
    shop.on_products("d", {percent("10")});
    shop.on_products("p", {pay("50")});
    shop.on_products("q", {earn("50")});
    OrderBuilder guest = OrderBuilder().line("a", 10000).balance(5000).redeem(0);
    guest.order.buyer.kind = BuyerKind::guest;
    EXPECT_EQ(bill(shop, guest), (Bill{{9000}}));
}

// A type that is not active now: nothing is paid and nothing earned.
TEST(WorkedPayment, NeedsAnActiveType) {
    Shop shop;
    shop.on_products("p", {pay("50")});
    shop.on_products("q", {earn("50")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(5000, false).redeem(0)), (Bill{{10000}}));
}

// --- Item caps
// ------------------------------------------------------------------------------------------------------------

Shop half_off(const std::string& max_items, const std::string& pick) {
    Shop shop;
    shop.on_products("d", {discount({{"percent", "50"}, {"max_items", max_items}, {"pick", pick}})});
    return shop;
}

OrderBuilder three_prices() { return OrderBuilder().line("c", 800).line("a", 1000).line("b", 600); }

TEST(WorkedPicks, Cheapest) { EXPECT_EQ(bill(half_off("1", "cheapest"), three_prices()), (Bill{{1000, 300, 800}})); }
TEST(WorkedPicks, MostExpensive) {
    EXPECT_EQ(bill(half_off("1", "most_expensive"), three_prices()), (Bill{{500, 600, 800}}));
}
// The document names c first.
TEST(WorkedPicks, LineOrder) { EXPECT_EQ(bill(half_off("1", "line_order"), three_prices()), (Bill{{1000, 600, 400}})); }

// The two cheapest: b and c, 3.00 and 4.00 off.
TEST(WorkedPicks, Several) { EXPECT_EQ(bill(half_off("2", "cheapest"), three_prices()), (Bill{{1000, 300, 400}})); }

// 2 of 3 units at 10.00: 30.00 − 10.00.
TEST(WorkedPicks, SomeUnitsOfALine) {
    EXPECT_EQ(bill(half_off("2", "cheapest"), OrderBuilder().line("a", 1000, "3")), (Bill{{2000}}));
}

// b for 8.00 is one item; of a's 1.5 kg the first kilogram is the other: 8.00 − 4.00, 15.00 − 5.00. With three items
// the last half kilogram counts as one: 15.00 − 7.50.
TEST(WorkedPicks, AFractionIsAnItem) {
    const auto order = OrderBuilder().line("a", 1000, "1.5").line("b", 800);
    EXPECT_EQ(bill(half_off("2", "cheapest"), order), (Bill{{1000, 400}}));
    EXPECT_EQ(bill(half_off("3", "cheapest"), order), (Bill{{750, 400}}));
}

// Units for nothing are no items: the gift is passed over.
TEST(WorkedPicks, NotWhatIsFree) {
    EXPECT_EQ(bill(half_off("1", "cheapest"), OrderBuilder().line("a", 0).line("b", 600)), (Bill{{0, 300}}));
}

// By the price of now: a costs 2.00 after 10.00 off, and is the cheapest then.
TEST(WorkedPicks, ByCurrentPrice) {
    Shop shop;
    shop.segment("A");
    shop.promotion("d", {build::on_products_in({"A"}, {amount("10")})});
    shop.on_products("e", {discount({{"percent", "50"}, {"max_items", "1"}, {"pick", "cheapest"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1200).in_segments({0}).line("b", 600)), (Bill{{100, 600}}));
}

// Of the order: 10.00 off the dearest item, one of two at 30.00: the unit comes to 20.00, the line to 50.00.
TEST(WorkedPicks, OfTheOrder) {
    Shop shop;
    shop.on_order("d", {discount({{"amount", "10"}, {"max_items", "1"}, {"pick", "most_expensive"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 3000, "2").line("b", 500)), (Bill{{5000, 500}}));
}

// Points pay half of the dearest item only: 5.00 of a's 10.00.
TEST(WorkedPicks, WithPoints) {
    Shop shop;
    shop.on_products("p",
                     {points("points_discount", {{"percent", "50"}, {"max_items", "1"}, {"pick", "most_expensive"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000).line("b", 600).balance(9900).redeem(0)),
              (Bill{{500, 600}, 0, 500}));
}

}  // namespace
}  // namespace loyalty
