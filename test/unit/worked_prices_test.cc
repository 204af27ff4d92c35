// Worked by hand: prices rounded, read from fields, and those of partners. Figures in cents unless they have a point.

#include "unit/worked_case.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using namespace worked;
using build::benefit;
using build::decimal;

// --- Rounding
// -------------------------------------------------------------------------------------------------------------

OrderBuilder prices(std::vector<std::int64_t> prices) {
    OrderBuilder order;
    char id = 'a';
    for (const auto price : prices) order.line(std::string(1, id++), price);
    return order;
}

Bill rounded(const TreeBenefit& rounding, std::vector<std::int64_t> from) {
    Shop shop;
    shop.on_products("r", {rounding});
    return bill(shop, prices(std::move(from)));
}

// 99.50 is half way: away from zero. 99.49 is not.
TEST(WorkedRounding, ToTheInteger) { EXPECT_EQ(rounded(round_price("integer"), {9950, 9949}), (Bill{{10000, 9900}})); }

// 10.24 is nearer to 10.00, 10.25 half way to 10.50, 10.75 half way to 11.00.
TEST(WorkedRounding, ToHalves) {
    EXPECT_EQ(rounded(round_price("half"), {1024, 1025, 1075}), (Bill{{1000, 1050, 1100}}));
}

TEST(WorkedRounding, DownToTheInteger) {
    EXPECT_EQ(rounded(round_price("integer_down"), {9999, 9900}), (Bill{{9900, 9900}}));
}

// Down to a multiple of ten: 99.99 -> 90.00; 9.99 -> 0.
TEST(WorkedRounding, DownToTens) { EXPECT_EQ(rounded(round_price("tens"), {9999, 999}), (Bill{{9000, 0}})); }

// 94.99 -> 90.00; 95.00 is half way and rises to 100.00.
TEST(WorkedRounding, ToTheNearestTen) {
    EXPECT_EQ(rounded(round_price("nearest_ten"), {9499, 9500}), (Bill{{9000, 10000}}));
}

// Up to 0.05: 1.01 -> 1.05, 1.05 stays. 3 × 1.01: the unit price 1.01 -> 1.05, × 3 = 3.15.
TEST(WorkedRounding, AnyStepAndDirection) {
    Shop shop;
    shop.on_products("r", {benefit("round_price", {{"step", "0.05"}, {"direction", "up"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 101).line("b", 105).line("c", 101, "3")), (Bill{{105, 105, 315}}));
}

// 2.5 kg at 3.99 = 9.975 -> 9.98. The price of one: 9.98 ÷ 2.5 = 3.992 -> 4.00; × 2.5 = 10.00.
TEST(WorkedRounding, OfAFractionalQuantity) {
    Shop shop;
    shop.on_products("r", {round_price("integer")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 399, "2.5")), (Bill{{1000}}));
}

// 24.99 − 20 % (4.998 -> 5.00) = 19.99 -> 20.00: the rounding takes 0.01 of the discount back.
TEST(WorkedRounding, AfterADiscount) {
    Shop shop;
    shop.on_products("d", {percent("20")});
    shop.on_products("r", {round_price("integer")});
    EXPECT_EQ(bill(shop, prices({2499})), (Bill{{2000}}));
    EXPECT_EQ(calculate(shop, prices({2499})).lines[0].discount.units, 499);
}

// 3 × 9.99, one of them at half price: 9.99 − 5.00 (4.995) = 4.99 and 2 × 9.99 = 19.98. Each unit price is rounded:
// 4.99 -> 5.00; 9.99 -> 10.00, × 2 = 20.00. Together 25.00.
TEST(WorkedRounding, OfUnitsWithPricesOfTheirOwn) {
    Shop shop;
    shop.on_products("d", {discount({{"percent", "50"}, {"max_items", "1"}})});
    shop.on_products("r", {round_price("integer")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 999, "3")), (Bill{{2500}}));
}

// 10.10 + 20.20 + 30.33 = 60.63 -> 60.00. 63 cents × 1010/6063 = 10.49, × 2020/6063 = 20.99, × 3033/6063 = 31.52: 10,
// 20, 31 and one more each for b and c.
TEST(WorkedRounding, OfTheOrderIsAllotted) {
    Shop shop;
    shop.on_order("r", {round_order("integer_down")});
    EXPECT_EQ(bill(shop, prices({1010, 2020, 3033})), (Bill{{1000, 1999, 3001}}));
}

// 33.00 + 33.00 = 66.00 -> 70.00, 2.00 dearer each. Shipping stays out of it: 71.00 with it would still be 70.00.
TEST(WorkedRounding, OfTheOrderMayRaise) {
    Shop shop;
    shop.on_order("r", {round_order("nearest_ten")});
    EXPECT_EQ(bill(shop, prices({3300, 3300}).shipping(500)), (Bill{{3500, 3500}, 500}));
}

// 10.50 + 4.90 = 15.40 -> 15.00, what is paid: 40 cents × 1050/1540 = 27.27, × 490/1540 = 12.73.
TEST(WorkedRounding, OfTheOrderWithItsShipping) {
    Shop shop;
    shop.on_order("r", {build::benefit("round_order_price", {{"mode", "integer_down"}, {"target", "order"}})});
    EXPECT_EQ(bill(shop, prices({1050}).shipping(490)), (Bill{{1023}, 477}));
}

// 10.50 + 4.90 = 15.40 -> 20.00 raises the shipping, too: 4.60 × 1050/1540 = 313.6, × 490/1540 = 146.4.
TEST(WorkedRounding, OfTheOrderMayRaiseTheShipping) {
    Shop shop;
    shop.on_order("r",
                  {build::benefit("round_order_price", {{"step", "10"}, {"direction", "up"}, {"target", "order"}})});
    EXPECT_EQ(bill(shop, prices({1050}).shipping(490)), (Bill{{1364}, 636}));
}

// 19.99 -> 10.00 asks for 9.99; the line's floor of 15.00 leaves 4.99.
TEST(WorkedRounding, IsPartlyCutByAFloor) {
    Shop shop;
    shop.on_products("r", {round_price("tens")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1999).min_price(1500)), (Bill{{1500}}));
}

// 19.99 -> 10.00 asks for 9.99; 5.00 are allowed.
TEST(WorkedRounding, IsPartlyCutByACap) {
    Shop shop;
    shop.main().max_discount_amount = decimal("5");
    shop.on_products("r", {round_price("tens")});
    EXPECT_EQ(bill(shop, prices({1999})), (Bill{{1499}}));
}

// 30.30 -> 30.00: shares of 0.10 and 0.20. What a's floor refuses goes to b: 10.10 + 19.90.
TEST(WorkedRounding, OfTheOrderIsMovedByAFloor) {
    Shop shop;
    shop.on_order("r", {round_order("integer_down")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1010).min_price(1010).line("b", 2020)), (Bill{{1010, 1990}}));
}

// 12.00 is raised to 20.00; of 50 % = 10.00 the cap of 5.00 allows 5.00, not 13.00.
TEST(WorkedRounding, ARaiseGivesNoRoom) {
    Shop shop;
    shop.main().max_discount_amount = decimal("5");
    shop.on_products("r", {benefit("round_price", {{"step", "10"}, {"direction", "up"}})});
    shop.on_products("d", {percent("50")});
    EXPECT_EQ(bill(shop, prices({1200})), (Bill{{1500}}));
}

// 20.00 − 5.00, the whole cap, = 15.00, raised to 20.00; 1.00 more has no room.
TEST(WorkedRounding, ARaiseGivesNoRoomBack) {
    Shop shop;
    shop.main().max_discount_amount = decimal("5");
    shop.on_products("d", {amount("5")});
    shop.on_products("r", {round_price("nearest_ten")});
    shop.on_products("e", {amount("1")});
    EXPECT_EQ(bill(shop, prices({2000})), (Bill{{2000}}));
}

// a is raised and so taken: 19.50 -> 20.00. b is even already: nothing is done to it, and it goes to the next: 30.00 −
// 10 %.
TEST(WorkedRounding, ARaiseTakesTheLine) {
    Shop shop(Arbitration::incompatibility);
    shop.on_products("r", {round_price("integer")});
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, prices({1950, 3000})), (Bill{{2000, 2700}}));
}

// 30.30 -> 30.00 by 0.10 and 0.20 takes the order and both lines: neither discount finds anything.
TEST(WorkedRounding, OfTheOrderTakesOrderAndLines) {
    Shop shop(Arbitration::incompatibility);
    shop.on_order("r", {round_order("integer")});
    shop.on_order("o", {percent("10")});
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, prices({1010, 2020})), (Bill{{1000, 2000}}));
}

// --- Prices from fields
// ---------------------------------------------------------------------------------------------------

Shop vip(const std::string& factor = "1") {
    Shop shop;
    shop.on_products("vip", {field_price("vip", factor)});
    return shop;
}

TEST(WorkedFields, APriceThatIsLower) { EXPECT_EQ(bill(vip(), prices({10000}), {{{"vip", "90"}}}), (Bill{{9000}})); }
TEST(WorkedFields, APriceThatIsHigher) { EXPECT_EQ(bill(vip(), prices({10000}), {{{"vip", "110"}}}), (Bill{{10000}})); }

// 133.33 × 0.75 = 99.9975 -> 100.00.
TEST(WorkedFields, AFactor) { EXPECT_EQ(bill(vip("0.75"), prices({12000}), {{{"vip", "133.33"}}}), (Bill{{10000}})); }

// The price of one is rounded first: 3.333 -> 3.33, × 3 = 9.99.
TEST(WorkedFields, IsRoundedPerUnit) {
    EXPECT_EQ(bill(vip(), OrderBuilder().line("a", 400, "3"), {{{"vip", "3.333"}}}), (Bill{{999}}));
}

// Missing, negative, no number: the line keeps its price. 0 is a price.
TEST(WorkedFields, WhatIsNoPrice) {
    EXPECT_EQ(bill(vip(), prices({1000, 1000, 1000, 1000, 1000}),
                   {{}, {{"vip", "-1"}}, {{"vip", "cheap"}}, {{"vip", "5"}}, {{"vip", "0"}}}),
              (Bill{{1000, 1000, 1000, 500, 0}}));
}

// Numbers that no money can hold are no prices (19 digits), or more than any price (10^17 × 1000000).
TEST(WorkedFields, LargeNumbers) {
    EXPECT_EQ(bill(vip(), prices({1000}), {{{"vip", "1000000000000000000"}}}), (Bill{{1000}}));
    EXPECT_EQ(bill(vip("1000000"), prices({1000}), {{{"vip", "100000000000000000"}}}), (Bill{{1000}}));
    EXPECT_EQ(bill(vip(), OrderBuilder().line("a", 1000, "1000"), {{{"vip", "99999999999999999"}}}), (Bill{{1000000}}));
}

// 100.00 − 20 % = 80.00 is below the field's 90.00 already.
TEST(WorkedFields, AfterADiscount) {
    Shop shop;
    shop.on_products("d", {percent("20")});
    shop.on_products("vip", {field_price("vip")});
    EXPECT_EQ(bill(shop, prices({10000}), {{{"vip", "90"}}}), (Bill{{8000}}));
}

// 2 × 100.00, one at half price: 50.00 is below 70.00 and stays, the other one comes down: 50.00 + 70.00.
TEST(WorkedFields, OfUnitsWithPricesOfTheirOwn) {
    Shop shop;
    shop.on_products("d", {discount({{"percent", "50"}, {"max_items", "1"}})});
    shop.on_products("vip", {field_price("vip")});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000, "2"), {{{"vip", "70"}}}), (Bill{{12000}}));
}

// To 90.00 would be 10.00 off, the floor is 95.00.
TEST(WorkedFields, AFloorBinds) {
    EXPECT_EQ(bill(vip(), OrderBuilder().line("a", 10000).min_price(9500), {{{"vip", "90"}}}), (Bill{{9500}}));
}

// --- Prices finer than the currency
// ------------------------------------------------------------------------------------

// Money in cents, prices in so many decimals.
Shop with_prices_of(int scale) {
    Shop shop;
    shop.tree.price_scale = scale;
    return shop;
}

// 0.0125 × 1,000 = 12.50; 10 % off 1.25; one costs 0.01125 -> 0.0113.
TEST(WorkedFinePrices, ALineIsRoundedOnce) {
    Shop shop = with_prices_of(4);
    shop.on_products("d", {percent("10")});
    const OrderBuilder screws = OrderBuilder(100).line("a", 125, "1000");
    EXPECT_EQ(screws.order.lines[0].base, Money{1250});
    const Calculation result = calculate(shop, screws);
    EXPECT_EQ(result.lines[0].total, Money{1125});
    EXPECT_EQ(result.lines[0].unit_price(screws.order.lines[0]), (UnitPrice{113, 100}));
}

// 40 l at 1.799 = 71.96; 10 % off, 7.196 -> 7.20, would leave 64.76; the line's floor is 1.655 × 40 = 66.20.
TEST(WorkedFinePrices, AFloorOfTheLine) {
    Shop shop = with_prices_of(3);
    shop.on_products("d", {percent("10")});
    EXPECT_EQ(bill(shop, OrderBuilder(10).line("a", 1799, "40")), (Bill{{6476}}));
    EXPECT_EQ(bill(shop, OrderBuilder(10).line("a", 1799, "40").min_price(1655)), (Bill{{6620}}));
}

// As an amount 1.6555 × 40 = 66.22; as a share 92.5 % of 1.799 = 1.664075, × 40 = 66.563 -> 66.56.
TEST(WorkedFinePrices, FloorsOfAGroup) {
    Shop shop = with_prices_of(4);
    shop.on_products("d", {percent("10")});
    shop.main().min_product_price_amount = decimal("1.6555");
    EXPECT_EQ(bill(shop, OrderBuilder(100).line("a", 17990, "40")), (Bill{{6622}}));
    shop.main().min_product_price_amount.reset();
    shop.main().min_product_price_percent = decimal("92.5");
    EXPECT_EQ(bill(shop, OrderBuilder(100).line("a", 17990, "40")), (Bill{{6656}}));
}

// 40 l at 1.7994 = 71.976 -> 71.98, 1.7995 each: half way to 1.800, × 40 = 72.00; down to 1.799, × 40 = 71.96.
TEST(WorkedFinePrices, RoundedToAStep) {
    Shop nearest = with_prices_of(4), down = with_prices_of(4);
    nearest.on_products("r", {benefit("round_price", {{"step", "0.001"}})});
    down.on_products("r", {benefit("round_price", {{"step", "0.001"}, {"direction", "down"}})});
    EXPECT_EQ(bill(nearest, OrderBuilder(100).line("a", 17994, "40")), (Bill{{7200}}));
    EXPECT_EQ(bill(down, OrderBuilder(100).line("a", 17994, "40")), (Bill{{7196}}));
}

// Yen have no halves, their prices may: 10 at 10.3 = 103, each to 10.5: 105.
TEST(WorkedFinePrices, RoundedToHalvesOfWholeMoney) {
    Shop shop = with_prices_of(1);
    shop.tree.currency_scale = 0;
    shop.on_products("r", {round_price("half")});
    EXPECT_EQ(bill(shop, OrderBuilder(10).line("a", 103, "10")), (Bill{{105}}));
}

// 40 × 1.7456 = 69.824 -> 69.82; in three decimals 40 × 1.746 = 69.84; in those of the currency 40 × 1.75 = 70.00.
TEST(WorkedFinePrices, ReadFromAField) {
    const auto bill_of = [](int scale, std::int64_t parts, std::int64_t price) {
        Shop shop = with_prices_of(scale);
        shop.on_products("vip", {field_price("vip")});
        return bill(shop, OrderBuilder(parts).line("a", price, "40"), {{{"vip", "1.7456"}}});
    };
    EXPECT_EQ(bill_of(4, 100, 17990), (Bill{{6982}}));
    EXPECT_EQ(bill_of(3, 10, 1799), (Bill{{6984}}));
    EXPECT_EQ(bill_of(2, 1, 180), (Bill{{7000}}));
}

// --- Partners
// -------------------------------------------------------------------------------------------------------------

Shop with_partners() {
    Shop shop;
    shop.partner("acme");
    shop.partner("other");
    shop.partner_product("Pa", "acme").discount_percent = decimal("7.5");
    shop.partner_product("Pb", "other").discount_percent = decimal("10");
    return shop;
}

// 7.5 % of 99.99 = 7.49925 -> 7.50. b belongs to a partner that is not named, c to none.
TEST(WorkedPartners, ADiscountOfSome) {
    Shop shop = with_partners();
    shop.on_products("d", {of_partners(benefit("partner_discount", {}), {"acme"})});
    EXPECT_EQ(bill(shop, prices({9999, 10000, 10000})), (Bill{{9249, 10000, 10000}}));
}

TEST(WorkedPartners, ADiscountOfAll) {
    Shop shop = with_partners();
    shop.on_products("d", {benefit("partner_discount", {})});
    EXPECT_EQ(bill(shop, prices({9999, 10000, 10000})), (Bill{{9249, 9000, 10000}}));
}

// From the first day on: today yes, tomorrow not yet.
TEST(WorkedPartners, FromTheirStartDate) {
    for (const int days : {-1, 0, 1}) {
        Shop shop;
        shop.partner("acme", today + days);
        shop.partner_product("Pa", "acme").discount_percent = decimal("10");
        shop.on_products("d", {benefit("partner_discount", {})});
        EXPECT_EQ(bill(shop, prices({10000})), (Bill{{days <= 0 ? 9000 : 10000}}));
    }
}

// 3 points for each of 2.5 kg = 7.5; 5 % of 80.00 = 4.00, at 10 points for 1.00 = 40.
TEST(WorkedPartners, PointsEarned) {
    Shop shop(Arbitration::consistent, "10");
    shop.partner("acme");
    shop.partner_product("Pa", "acme").points_value = decimal("3");
    TreePartnerProduct& b = shop.partner_product("Pb", "acme");
    b.points_value = decimal("5");
    b.points_unit = ValueUnit::percent;
    shop.on_products("p", {points("partner_points", {{"mode", "accrue"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 1000, "2.5").line("b", 8000).balance(0)),
              (Bill{{2500, 8000}, 0, 0, 750 + 4000}));
}

// 30 % of 2 × 100.00 = 60.00; 25 points can pay for each unit, that is 50.00 at 1 point for 1.00.
TEST(WorkedPartners, PointsThatCanPay) {
    Shop shop;
    shop.partner("acme");
    TreePartnerProduct& a = shop.partner_product("Pa", "acme");
    a.points_value = decimal("30");
    a.points_unit = ValueUnit::percent;
    a.max_payable_points = decimal("25");
    shop.on_products("p", {points("partner_points", {{"mode", "pay"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000, "2").balance(100'000).redeem(0)), (Bill{{15000}, 0, 5000}));
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000, "2").balance(100'000)), (Bill{{20000}}));  // unasked
}

// 500 points for each unit are worth 50.00 at 10 points for 1.00; the price is 30.00: 300 points pay it.
TEST(WorkedPartners, PointsPayNoMoreThanThePrice) {
    Shop shop(Arbitration::consistent, "10");
    shop.partner("acme");
    shop.partner_product("Pa", "acme").points_value = decimal("500");
    shop.on_products("p", {points("partner_points", {{"mode", "pay"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 3000).balance(100'000).redeem(0)), (Bill{{0}, 0, 30000}));
}

// 100.00 − 10 % = 90.00; 20 % of that, 18.00, with points: 72.00. Of a balance of 5.00 only 5.00: 85.00.
TEST(WorkedPartners, DiscountAndPointsOneAfterTheOther) {
    Shop shop;
    shop.partner("acme");
    TreePartnerProduct& a = shop.partner_product("Pa", "acme");
    a.discount_percent = decimal("10");
    a.points_value = decimal("20");
    a.points_unit = ValueUnit::percent;
    shop.on_products("d", {benefit("partner_discount", {})});
    shop.on_products("p", {points("partner_points", {{"mode", "pay"}})});
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(100'000).redeem(0)), (Bill{{7200}, 0, 1800}));
    EXPECT_EQ(bill(shop, OrderBuilder().line("a", 10000).balance(500).redeem(0)), (Bill{{8500}, 0, 500}));
}

}  // namespace
}  // namespace loyalty
