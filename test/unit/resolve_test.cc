#include "core/order/resolve.hpp"

#include "codec/order_reader.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::decimal;
using build::error_of;
using build::TreeBuilder;

Market market() {
    Market market;
    market.program = "main";
    market.active = true;
    market.currency = "RUB";
    market.channels = {"web", "shop"};
    market.contact_points = {{"cart", "web"}, {"till", "shop"}};
    market.regions = {"77"};
    market.statuses = {{"new", {0, StatusKind::open}},
                       {"paid", {2, StatusKind::open}},
                       {"delivered", {5, StatusKind::delivered}},
                       {"closed", {6, StatusKind::delivered}},
                       {"canceled", {7, StatusKind::cancelled}},
                       {"refunded", {8, StatusKind::refunded}}};
    market.point_types = {"bonus", "miles", "later"};
    return market;
}

Program program() {
    TreeBuilder builder;
    builder.point_type("bonus", "1");
    builder.point_type("miles", "10", 0);
    return compile(builder.tree, 1);
}

// Every product is known, at 12.50, with 3.00 as its minimum price.
Order resolved(const std::string& json, Product product = {true, decimal("12.5"), decimal("3")}) {
    const OrderDocument document = codec::read_order(json);
    const Program p = program();
    check_references(document, p, market());
    return resolve(document, p, std::vector<Product>(document.lines.size(), product),
                   std::vector<std::vector<std::uint32_t>>(document.lines.size()), {});
}

TEST(Resolve, FillsInDefaults) {
    const Order order = resolved(
        R"({"lines":[{"product":"x","quantity":1.5},{"product":"y","quantity":2,"price":3.33,"min_price":0}]})");
    ASSERT_EQ(order.lines.size(), 2u);
    EXPECT_EQ(order.lines[0].id, "00001");
    EXPECT_EQ(order.lines[0].price.units, 1250);
    EXPECT_EQ(order.lines[0].base.units, 1875);
    EXPECT_EQ(order.lines[0].quantity.units, 1'500'000);
    EXPECT_EQ(order.lines[0].min_price, Money{300});
    EXPECT_EQ(order.lines[1].id, "00002");
    EXPECT_EQ(order.lines[1].price.units, 333);
    EXPECT_EQ(order.lines[1].min_price, Money{0});
    EXPECT_EQ(order.shipping.units, 0);
}

// 0.333 × 9.99 = 3.32667 -> 3.33; 0.5 × 0.01 = 0.005 -> 0.01.
TEST(Resolve, RoundsBaseTotals) {
    const Order order = resolved(
        R"({"lines":[{"product":"x","quantity":0.333,"price":9.99},{"product":"x","quantity":0.5,"price":0.01}]})");
    EXPECT_EQ(order.lines[0].base.units, 333);
    EXPECT_EQ(order.lines[1].base.units, 1);
}

TEST(Resolve, SortsLinesByIdBytewise) {
    const Order order = resolved(
        R"({"lines":[{"id":"b","product":"x","quantity":1},{"id":"B","product":"y","quantity":1},{"id":"10","product":"z","quantity":1},{"id":"9","product":"z","quantity":1},{"id":"ä","product":"z","quantity":1}]})");
    std::vector<std::string> ids;
    for (const auto& line : order.lines) ids.push_back(line.id);
    EXPECT_EQ(ids, (std::vector<std::string>{"10", "9", "B", "b", "ä"}));
    EXPECT_EQ(order.lines[0].position, 2u);
    EXPECT_EQ(order.lines[3].position, 0u);
}

TEST(Resolve, LinesKeepTheirSegments) {
    const OrderDocument document =
        codec::read_order(R"({"lines":[{"id":"b","product":"x","quantity":1},{"id":"a","product":"y","quantity":1}]})");
    const Order order =
        resolve(document, program(), {{true, decimal("1"), {}}, {true, decimal("2"), {}}}, {{1}, {2, 3}}, {});
    EXPECT_EQ(order.lines[0].segments, (std::vector<std::uint32_t>{2, 3}));
    EXPECT_EQ(order.lines[0].price.units, 200);
    EXPECT_EQ(order.lines[1].segments, (std::vector<std::uint32_t>{1}));
}

TEST(Resolve, ReadsWhatIsRedeemed) {
    const Order order = resolved(
        R"({"lines":[{"product":"x","quantity":1}],"redeem":[{"points":"miles","amount":100},{"points":"later","amount":"max"},{"points":"bonus","amount":"max"}]})");
    // "later" is newer than the applied version: it can pay for nothing.
    ASSERT_EQ(order.redeem.size(), 2u);
    EXPECT_EQ(order.redeem[0].point_type, 1u);
    EXPECT_EQ(order.redeem[0].amount, Points{100});
    EXPECT_EQ(order.redeem[1].point_type, 0u);
    EXPECT_EQ(order.redeem[1].amount, std::nullopt);
}

TEST(Resolve, NamesMistakesByCodeAndPath) {
    struct Mistake {
        const char* json;
        const char* code;
        const char* where;
    };
    const Mistake mistakes[] = {
        {R"({"lines":[{"product":"x","quantity":0}]})", "LY104", "$.lines[0].quantity, the value is 0"},
        {R"({"lines":[{"product":"x","quantity":1},{"product":"x","quantity":-2}]})", "LY104",
         "$.lines[1].quantity, the value is -2"},
        {R"({"lines":[{"product":"x","quantity":0.0000001}]})", "LY105", "$.lines[0].quantity, the value is 0.0000001"},
        {R"({"lines":[{"product":"x","quantity":1e13}]})", "LY104", "$.lines[0].quantity"},
        {R"({"lines":[{"product":"x","quantity":1,"price":-1}]})", "LY104", "$.lines[0].price, the value is -1"},
        {R"({"lines":[{"product":"x","quantity":1,"price":1.005}]})", "LY105", "$.lines[0].price, the value is 1.005"},
        {R"({"lines":[{"product":"x","quantity":1,"price":1e17}]})", "LY104", "$.lines[0].price"},
        {R"({"lines":[{"product":"x","quantity":1,"min_price":-1}]})", "LY104", "$.lines[0].min_price"},
        {R"({"lines":[{"product":"x","quantity":1,"min_price":0.001}]})", "LY105", "$.lines[0].min_price"},
        {R"({"lines":[{"product":"x","quantity":1}],"shipping":-0.01})", "LY104", "$.shipping"},
        {R"({"lines":[{"product":"x","quantity":1}],"shipping":0.001})", "LY105", "$.shipping"},
        {R"({"lines":[{"product":"x","quantity":1,"id":"a"},{"product":"x","quantity":1,"id":"b"},{"product":"x","quantity":1,"id":"a"}]})",
         "LY107", "$.lines[2].id, the value is \"a\""},
        {R"({"lines":[{"product":"x","quantity":1},{"product":"x","quantity":1,"id":"00001"}]})", "LY107",
         "$.lines[1].id"},
        {R"({"lines":[{"product":"x","quantity":1000000,"price":10000000000000}]})", "LY401", "$.lines[0]"},
        {R"({"lines":[{"product":"x","quantity":1}],"currency":"USD"})", "LY207", "$.currency, the value is \"USD\""},
        {R"({"lines":[{"product":"x","quantity":1}],"channel":"fax"})", "LY204", "$.channel, the value is \"fax\""},
        {R"({"lines":[{"product":"x","quantity":1}],"contact_point":"kiosk"})", "LY205", "$.contact_point"},
        {R"({"lines":[{"product":"x","quantity":1}],"contact_point":"till","channel":"web"})", "LY205",
         "$.contact_point"},
        {R"({"lines":[{"product":"x","quantity":1}],"region":"78"})", "LY206", "$.region"},
        {R"({"lines":[{"product":"x","quantity":1}],"status":"lost"})", "LY210", "$.status"},
        {R"({"lines":[{"product":"x","quantity":1}],"redeem":[{"points":"gold","amount":1}]})", "LY208",
         "$.redeem[0].points"},
        {R"({"lines":[{"product":"x","quantity":1}],"redeem":[{"points":"bonus","amount":1},{"points":"bonus","amount":1}]})",
         "LY107", "$.redeem[1].points"},
        {R"({"lines":[{"product":"x","quantity":1}],"redeem":[{"points":"bonus","amount":-1}]})", "LY104",
         "$.redeem[0].amount"},
        {R"({"lines":[{"product":"x","quantity":1}],"redeem":[{"points":"miles","amount":1.5}]})", "LY105",
         "$.redeem[0].amount"},
    };
    for (const auto& mistake : mistakes) {
        const Error error = error_of([&] { resolved(mistake.json); });
        EXPECT_EQ(error.sqlstate(), mistake.code) << mistake.json << "\n" << error.message();
        EXPECT_EQ(error.detail().rfind(std::string("At ") + mistake.where, 0), 0u) << mistake.json << "\n"
                                                                                   << error.detail();
        EXPECT_FALSE(error.hint().empty()) << mistake.json;
    }
}

TEST(Resolve, KnownReferencesPass) {
    EXPECT_EQ(
        error_of([] {
            resolved(
                R"({"lines":[{"product":"x","quantity":1}],"currency":"RUB","channel":"web","contact_point":"cart","region":"77","status":"paid","shipping":0})");
        }).sqlstate(),
        "");
    EXPECT_EQ(
        error_of([] { resolved(R"({"lines":[{"product":"x","quantity":1}],"contact_point":"till"})"); }).sqlstate(),
        "");
}

TEST(Resolve, UnknownProductsNeedAPrice) {
    const Product unknown;
    const Error error = error_of([&] { resolved(R"({"lines":[{"product":"x","quantity":1}]})", unknown); });
    EXPECT_EQ(error.sqlstate(), "LY209");
    EXPECT_EQ(error.detail(), "At $.lines[0].product, the value is \"x\".");
    EXPECT_EQ(resolved(R"({"lines":[{"product":"x","quantity":1,"price":7}]})", unknown).lines[0].base.units, 700);
    EXPECT_EQ(error_of([&] {
                  resolved(R"({"lines":[{"product":"x","quantity":1}]})", {true, {}, {}});
              }).sqlstate(),
              "LY209");
}

// The catalogue may hold finer prices than the currency of the version in force.
TEST(Resolve, CataloguePricesFitTheCurrencyToo) {
    const Error price = error_of([] {
        resolved(R"({"lines":[{"product":"x","quantity":1}]})", {true, decimal("1.005"), {}});
    });
    EXPECT_EQ(price.sqlstate(), "LY105");
    EXPECT_EQ(price.detail(), "At $.lines[0].product, the value is 1.005.");
    EXPECT_EQ(error_of([] {
                  resolved(R"({"lines":[{"product":"x","quantity":1}]})", {true, decimal("1"), decimal("0.005")});
              }).sqlstate(),
              "LY105");
    EXPECT_EQ(resolved(R"({"lines":[{"product":"x","quantity":1,"price":2,"min_price":1}]})",
                       {true, decimal("1.005"), decimal("0.005")})
                  .lines[0]
                  .base.units,
              200);
}

TEST(Resolve, InactiveProgram) {
    Market inactive = market();
    inactive.active = false;
    EXPECT_EQ(error_of([&] { check_active(inactive); }).sqlstate(), "LY202");
}

TEST(Market, KnowsWhenAnAccrualIsCredited) {
    const Market m = market();
    EXPECT_TRUE(m.is_credited("new", "new"));
    EXPECT_FALSE(m.is_credited("new", "paid"));
    EXPECT_TRUE(m.is_credited("delivered", "paid"));
    EXPECT_TRUE(m.is_credited("closed", "delivered"));
    EXPECT_FALSE(m.is_credited("canceled", "new"));
    EXPECT_FALSE(m.is_credited("refunded", "new"));
    EXPECT_TRUE(m.is_credited("new", "open"));
}

}  // namespace
}  // namespace loyalty
