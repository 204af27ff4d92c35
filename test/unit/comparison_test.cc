#include "core/document/comparison.hpp"

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::decimal;

std::string told(std::string_view predicate) {
    std::string all;
    for (const auto& comparison : comparisons_in(predicate))
        all += (all.empty() ? "" : ", ") + comparison.describe_path() + " " + comparison.describe();
    return all;
}

TEST(Comparison, IsFoundInCanonicalPaths) {
    EXPECT_EQ(told(R"(($."total" >= 100))"), "total >= 100");
    EXPECT_EQ(told(R"($."items" < 2.5)"), "items < 2.5");
    EXPECT_EQ(told(R"(($."total" > 100 && $."channel" == "web" && $."items" <= 3))"), "total > 100, items <= 3");
    EXPECT_EQ(told(R"((($."total" == 100 || $."items" > 3) && $."shipping" == 0))"), "shipping == 0");
    EXPECT_EQ(told(R"((exists ($?($."total" >= 100)) && $."segments"[*] == "jury"))"), "total >= 100");
    EXPECT_EQ(told(R"((exists ($?(exists ($?($."total" >= 100)) && $."items" < 2)) && $."shipping" > 1))"),
              "total >= 100, items < 2, shipping > 1");
    EXPECT_EQ(told(R"(($."fields"."guests" >= 8 && $."fields"."a"."b" < 1.5))"),
              "fields.guests >= 8, fields.a.b < 1.5");
}

TEST(Comparison, IsNotReadIntoAnythingElse) {
    for (const char* other : {R"(($."total" >= 100 || $."items" > 3))", R"(!($."total" >= 100))",
                              R"(($."a"[*]."b" > 1))", R"(($."lines"[*]."price" < 3))",
                              R"(($."name" == "a && $.\"total\" >= 100"))", R"(($."total" >= $."shipping"))",
                              R"(($."total" + 5 >= 100))", R"(($."total" != 5))", R"((($."total" > 1) is unknown))", "",
                              "(", R"(($."total)", R"(($ > 1))", R"(($."a"."b > 1))", R"(($."total" >= 1e400))"})
        EXPECT_EQ(told(other), "") << other;
}

TEST(Comparison, TellsByHowMuchItMisses) {
    const auto miss = [](std::string_view predicate, std::string_view value, int decimals = 2) {
        const Comparison comparison = comparisons_in(predicate).at(0);
        return comparison.holds(decimal(value)) ? "holds" : comparison.describe_miss(decimal(value), decimals);
    };
    EXPECT_EQ(miss(R"($."total" >= 100)", "87.6"), "12.40 more");
    EXPECT_EQ(miss(R"($."total" >= 100)", "100"), "holds");
    EXPECT_EQ(miss(R"($."total" > 100)", "100"), "over 0.00 more");
    EXPECT_EQ(miss(R"($."total" > 100)", "100.01"), "holds");
    EXPECT_EQ(miss(R"($."items" <= 3)", "3.5", 0), "0.5 less");
    EXPECT_EQ(miss(R"($."items" < 3)", "3", 0), "over 0 less");
    EXPECT_EQ(miss(R"($."items" == 3)", "1", 0), "2 more");
    EXPECT_EQ(miss(R"($."items" == 3)", "4", 0), "1 less");
    EXPECT_EQ(miss(R"($."total" >= 0.125)", "0.1"), "0.025 more");
    EXPECT_EQ(miss(R"($."total" >= -1.5)", "-2"), "0.50 more");
}

}  // namespace
}  // namespace loyalty
