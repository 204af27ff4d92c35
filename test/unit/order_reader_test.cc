#include "codec/order_reader.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty::codec {
namespace {

using build::decimal;
using build::error_of;

TEST(OrderReader, ReadsEveryKey) {
    const OrderDocument order = read_order(R"({
        "program": "main", "external_id": "A-1", "member": "cust-17", "channel": "web", "contact_point": "cart", "region": "77",
        "currency": "RUB", "time": "2026-11-21T12:00:00+03:00", "status": "new", "shipping": 500, "expected_total": 68000.00,
        "lines": [{"id": "1", "product": "PC-1", "quantity": 1.50, "price": 100000.10, "min_price": 1, "fields": {"vip": [1, 2.50]}},
                  {"product": "PC-2", "quantity": 2}],
        "promo_codes": ["BDAY"], "redeem": [{"points": "bonus", "amount": "max"}, {"points": "miles", "amount": 10.5}], "fields": {}})");
    EXPECT_EQ(order.program, "main");
    EXPECT_EQ(order.external_id, "A-1");
    EXPECT_EQ(order.member, "cust-17");
    EXPECT_EQ(order.channel, "web");
    EXPECT_EQ(order.contact_point, "cart");
    EXPECT_EQ(order.region, "77");
    EXPECT_EQ(order.currency, "RUB");
    EXPECT_EQ(order.time, "2026-11-21T12:00:00+03:00");
    EXPECT_EQ(order.status, "new");
    EXPECT_EQ(order.shipping, decimal("500"));
    EXPECT_EQ(order.expected_total, decimal("68000"));
    ASSERT_EQ(order.lines.size(), 2u);
    EXPECT_EQ(order.lines[0].id, "1");
    EXPECT_EQ(order.lines[0].product, "PC-1");
    EXPECT_EQ(order.lines[0].quantity, decimal("1.5"));
    EXPECT_EQ(order.lines[0].price, decimal("100000.1"));
    EXPECT_EQ(order.lines[0].min_price, decimal("1"));
    EXPECT_EQ(order.lines[0].fields, R"({"vip":[1,2.50]})");
    EXPECT_EQ(order.lines[1].id, std::nullopt);
    EXPECT_EQ(order.lines[1].price, std::nullopt);
    EXPECT_EQ(order.lines[1].fields, "");
    ASSERT_EQ(order.redeem.size(), 2u);
    EXPECT_EQ(order.redeem[0].points, "bonus");
    EXPECT_EQ(order.redeem[0].amount, std::nullopt);
    EXPECT_EQ(order.redeem[1].amount, decimal("10.5"));
    EXPECT_EQ(order.promo_codes, std::vector<std::string>{"BDAY"});
    EXPECT_EQ(order.fields, "{}");
}

TEST(OrderReader, FindsTheMemberByKeyOrContact) {
    const auto with = [](const std::string& member) {
        return read_order(R"({"member": )" + member +
                          R"(, "fire": false, "lines": [{"product": "p", "quantity": 1}]})");
    };
    EXPECT_FALSE(with("null").fires);
    EXPECT_EQ(with("null").member, std::nullopt);
    EXPECT_EQ(with("null").contact, std::nullopt);
    EXPECT_EQ(with(R"("ann")").member, "ann");
    EXPECT_EQ(with(R"({"email": "a@b.c"})").contact->field, "email");
    EXPECT_EQ(with(R"({"phone": "+1"})").contact->value, "+1");
    EXPECT_EQ(with(R"({"phone": "+1"})").member, std::nullopt);
    EXPECT_EQ(error_of([&] { with("{}"); }).sqlstate(), "LY103");
    EXPECT_EQ(error_of([&] { with(R"({"email": "a", "phone": "b"})"); }).sqlstate(), "LY103");
    EXPECT_EQ(error_of([&] { with(R"({"name": "a"})"); }).sqlstate(), "LY101");
    EXPECT_EQ(error_of([&] { with(R"({"email": 1})"); }).sqlstate(), "LY102");
    EXPECT_EQ(error_of([&] { with("17"); }).sqlstate(), "LY102");
}

// Mistakes, and what the error says: its code and where.
TEST(OrderReader, NamesMistakesByCodeAndPath) {
    struct Mistake {
        const char* json;
        const char* code;
        const char* where;
    };
    const std::string line = R"({"product":"p","quantity":1})";
    const Mistake mistakes[] = {
        {"{", "LY100", "At byte"},
        {"{}x", "LY100", "At byte 3"},
        {"[]", "LY102", "At $, the value is an array"},
        {"1", "LY102", "At $, the value is 1"},
        {R"({"lines":[]})", "LY106", "At $.lines"},
        {R"({})", "LY103", "At $."},
        {R"({"lines":[{"product":"p","quantity":1}],"Lines":1})", "LY101", "At $.Lines, the value is 1"},
        {R"({"lines":[{"product":"p","quantity":1,"qty":2}]})", "LY101", "At $.lines[0].qty, the value is 2"},
        {R"({"lines":{"product":"p"}})", "LY102", "At $.lines, the value is an object"},
        {R"({"lines":[{"product":"p","quantity":1},[]]})", "LY102", "At $.lines[1], the value is an array"},
        {R"({"lines":[{"quantity":1}]})", "LY103", "At $.lines[0]."},
        {R"({"lines":[{"product":"p"}]})", "LY103", "At $.lines[0]."},
        {R"({"lines":[{"product":"p","quantity":"1"}]})", "LY102", "At $.lines[0].quantity, the value is \"1\""},
        {R"({"lines":[{"product":"p","quantity":null}]})", "LY102", "At $.lines[0].quantity, the value is null"},
        {R"({"lines":[{"product":"p","quantity":true}]})", "LY102", "At $.lines[0].quantity, the value is true"},
        {R"({"lines":[{"product":"p","quantity":1e400}]})", "LY104", "At $.lines[0].quantity, the value is 1e400"},
        {R"({"lines":[{"product":"p","quantity":1,"price":1e-400}]})", "LY104",
         "At $.lines[0].price, the value is 1e-400"},
        {R"({"lines":[{"product":"","quantity":1}]})", "LY102", "At $.lines[0].product, the value is \"\""},
        {R"({"lines":[{"product":7,"quantity":1}]})", "LY102", "At $.lines[0].product, the value is 7"},
        {R"({"lines":[{"product":"p","quantity":1,"id":1}]})", "LY102", "At $.lines[0].id, the value is 1"},
        {R"({"lines":[{"product":"p","quantity":1,"fields":[]}]})", "LY102",
         "At $.lines[0].fields, the value is an array"},
        {R"({"lines":[{"product":"p","quantity":1}],"member":17})", "LY102", "At $.member, the value is 17"},
        {R"({"lines":[{"product":"p","quantity":1}],"shipping":"5"})", "LY102", "At $.shipping, the value is \"5\""},
        {R"({"lines":[{"product":"p","quantity":1}],"promo_codes":"X"})", "LY102",
         "At $.promo_codes, the value is \"X\""},
        {R"({"lines":[{"product":"p","quantity":1}],"promo_codes":["X",1]})", "LY102",
         "At $.promo_codes[1], the value is 1"},
        {R"({"lines":[{"product":"p","quantity":1}],"redeem":{"points":"b"}})", "LY102",
         "At $.redeem, the value is an object"},
        {R"({"lines":[{"product":"p","quantity":1}],"redeem":[{"points":"b"}]})", "LY103", "At $.redeem[0]."},
        {R"({"lines":[{"product":"p","quantity":1}],"redeem":[{"amount":"max"}]})", "LY103", "At $.redeem[0]."},
        {R"({"lines":[{"product":"p","quantity":1}],"redeem":[{"points":"b","amount":"all"}]})", "LY102",
         "At $.redeem[0].amount, the value is \"all\""},
        {R"({"lines":[{"product":"p","quantity":1}],"redeem":[{"points":"b","amount":1,"x":1}]})", "LY101",
         "At $.redeem[0].x"},
        {R"({"lines":[{"product":"p","quantity":1,"quantity":2}]})", "LY107", "At byte"},
        {R"({"lines":[{"product":"p","quantity":1}],"fields":"x"})", "LY102", "At $.fields, the value is \"x\""},
        {R"({"lines":[{"product":"p","quantity":1}],"":1})", "LY101", "At $."},
    };
    for (const auto& mistake : mistakes) {
        const Error error = error_of([&] { read_order(mistake.json); });
        EXPECT_EQ(error.sqlstate(), mistake.code) << mistake.json;
        EXPECT_EQ(error.detail().rfind(mistake.where, 0), 0u) << mistake.json << "\n" << error.detail();
        EXPECT_FALSE(error.message().empty());
        EXPECT_FALSE(error.hint().empty()) << mistake.json;
    }
}

std::string order_of(std::size_t lines) {
    std::string json = R"({"lines":[)";
    for (std::size_t i = 0; i < lines; ++i) json += (i ? "," : "") + std::string(R"({"product":"p","quantity":1})");
    return json + "]}";
}

TEST(OrderReader, HasAtMostTenThousandLines) {
    EXPECT_EQ(read_order(order_of(10'000)).lines.size(), 10'000u);
    EXPECT_EQ(error_of([] { read_order(order_of(10'001)); }).sqlstate(), "LY108");
}

TEST(OrderReader, RefusesDeepDocuments) {
    const std::string deep = R"({"lines":[{"product":"p","quantity":1}],"fields":{"x":)" + std::string(40, '[') +
                             std::string(40, ']') + "}}";
    EXPECT_EQ(error_of([&] { read_order(deep); }).sqlstate(), "LY108");
}

// An excerpt of a long value ends between characters.
TEST(OrderReader, ShortensLongValues) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "Ж";
    const Error error = error_of([&] { read_order(R"({"lines":[{"product":"p","quantity":")" + text + "\"}]}"); });
    EXPECT_EQ(error.sqlstate(), "LY102");
    EXPECT_LT(error.detail().size(), 120u);
    EXPECT_NE(error.detail().find("Ж..."), std::string::npos) << error.detail();
}

}  // namespace
}  // namespace loyalty::codec
