#include "codec/context_reader.hpp"
#include "codec/order_reader.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty::codec {
namespace {

using build::decimal;
using build::error_of;

TEST(ContextReader, MakesAMemberUpOnlyWhereItSaysSomethingOfHim) {
    EXPECT_FALSE(read_context("{}").member.has_value());
    EXPECT_TRUE(read_context("{}").auto_calculate);
    const TestContext off = read_context(R"({"auto_calculate": false})");
    EXPECT_FALSE(off.member.has_value());
    EXPECT_FALSE(off.auto_calculate);
    EXPECT_TRUE(read_context(R"({"tiers": []})").member.has_value());

    const TestContext context = read_context(
        R"({"balances": {"bonus": 12.50, "miles": 0}, "tiers": ["gold"], "segments": ["a", "b"], "promo_codes": ["BDAY"]})");
    ASSERT_TRUE(context.member.has_value());
    ASSERT_EQ(context.member->balances.size(), 2u);
    EXPECT_EQ(context.member->balances[0].first, "bonus");
    EXPECT_EQ(context.member->balances[0].second, decimal("12.5"));
    EXPECT_EQ(context.member->tiers, std::vector<std::string>{"gold"});
    EXPECT_EQ(context.member->segments, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(context.member->promo_codes, std::vector<std::string>{"BDAY"});
}

TEST(ContextReader, NamesMistakesByCodeAndPath) {
    const auto error = [](const char* json) { return error_of([&] { read_context(json); }); };
    EXPECT_EQ(error("[]").sqlstate(), "LY102");
    EXPECT_EQ(error(R"({"tier": 1})").sqlstate(), "LY101");
    EXPECT_EQ(error(R"({"balances": {"bonus": "5"}})").detail(), "At $.balances.bonus, the value is \"5\".");
    EXPECT_EQ(error(R"({"segments": ["a", "b", "a"]})").sqlstate(), "LY107");
    EXPECT_EQ(error(R"({"segments": ["a", ""]})").detail(), "At $.segments[1], the value is \"\".");
    EXPECT_EQ(error(R"({"auto_calculate": 1})").message(), "invalid context: a value has the wrong type");
}

TEST(TestOrderReader, ReadsOneOrderOrManyWithEditedProducts) {
    const auto one = read_test_orders(
        R"({"total": 7.5, "lines": [{"product": "p", "quantity": 1, "name": "N", "categories": ["a", "b"], "partner": "acme"}]})");
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].total, decimal("7.5"));
    EXPECT_EQ(one[0].lines[0].name, "N");
    EXPECT_EQ(one[0].lines[0].categories, R"(["a","b"])");
    EXPECT_EQ(one[0].lines[0].partner, "acme");
    EXPECT_TRUE(one[0].lines[0].edits_product());

    const auto many = read_test_orders(
        R"([{"lines": [{"product": "p", "quantity": 1}]}, {"lines": [{"product": "q", "quantity": 2, "categories": []}]}])");
    ASSERT_EQ(many.size(), 2u);
    EXPECT_FALSE(many[0].lines[0].edits_product());
    EXPECT_TRUE(many[1].lines[0].edits_product());
}

TEST(TestOrderReader, SaysWhichOrderIsWrong) {
    const auto error = [](const char* json) { return error_of([&] { read_test_orders(json); }); };
    EXPECT_EQ(error("[]").sqlstate(), "LY106");
    EXPECT_EQ(error(R"([{"lines": [{"product": "p", "quantity": 1}]}, {"lines": 1}])").detail(),
              "At $.lines, the value is 1. It is about order 2 of the array.");
    EXPECT_EQ(error(R"({"lines": [{"product": "p", "quantity": 1, "categories": ["a", 1]}]})").detail(),
              "At $.lines[0].categories[1], the value is 1.");
    std::string too_many = "[";
    for (int i = 0; i < 1001; i++)
        too_many += std::string(i ? "," : "") + R"({"lines":[{"product":"p","quantity":1}]})";
    EXPECT_EQ(error((too_many + "]").c_str()).sqlstate(), "LY108");
    std::string long_order = R"({"lines":[)";
    for (int i = 0; i < 10'000; i++) long_order += std::string(i ? "," : "") + R"({"product":"p","quantity":1})";
    std::string too_long = "[";
    for (int i = 0; i < 11; i++) too_long += (i ? "," : "") + long_order + "]}";
    EXPECT_EQ(error((too_long + "]").c_str()).sqlstate(), "LY108");
    EXPECT_EQ(error_of([] { read_order(R"({"total": 1, "lines": []})"); }).sqlstate(), "LY101");
}

}  // namespace
}  // namespace loyalty::codec
