#include "core/order/promo_code.hpp"

#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using Status = PromoCodeStatus;

Buyer buyer(BuyerKind kind, const std::string& key = "") {
    Buyer result;
    result.kind = kind;
    result.key = key;
    return result;
}

const Buyer ann = buyer(BuyerKind::member, "ann"), guest = buyer(BuyerKind::guest, "bob"),
            nobody = buyer(BuyerKind::anonymous);

PromoCodeFacts personal(const std::string& profile) {
    PromoCodeFacts code;
    code.personal = true;
    if (!profile.empty()) code.profile = profile;
    code.max_uses = 1;
    return code;
}

TEST(PromoCode, APersonalOneIsForItsProfile) {
    EXPECT_EQ(judge_promo_code(personal("ann"), ann, 0), Status::not_used);
    EXPECT_EQ(judge_promo_code(personal("bob"), guest, 0), Status::not_used);
    EXPECT_EQ(judge_promo_code(personal("bob"), ann, 0), Status::not_yours);
    EXPECT_EQ(judge_promo_code(personal(""), ann, 0), Status::not_yours);
    EXPECT_EQ(judge_promo_code(personal("ann"), nobody, 0), Status::not_yours);
}

TEST(PromoCode, Validity) {
    PromoCodeFacts code;
    code.valid_from = 10;
    code.valid_until = 20;
    EXPECT_EQ(judge_promo_code(code, nobody, 9), Status::not_yet_valid);
    EXPECT_EQ(judge_promo_code(code, nobody, 10), Status::not_used);
    EXPECT_EQ(judge_promo_code(code, nobody, 19), Status::not_used);
    EXPECT_EQ(judge_promo_code(code, nobody, 20), Status::expired);
    code.expires_at = 15;
    EXPECT_EQ(judge_promo_code(code, nobody, 15), Status::expired);
    PromoCodeFacts own = personal("ann");
    own.valid_from = 10;
    own.valid_until = 20;
    own.expires_at = 30;
    EXPECT_EQ(judge_promo_code(own, ann, 5), Status::not_used);
    EXPECT_EQ(judge_promo_code(own, ann, 29), Status::not_used);
    EXPECT_EQ(judge_promo_code(own, ann, 30), Status::expired);
}

TEST(PromoCode, Uses) {
    PromoCodeFacts code;
    code.uses = 1'000;
    EXPECT_EQ(judge_promo_code(code, nobody, 0), Status::not_used);
    code.max_uses = 1'000;
    EXPECT_EQ(judge_promo_code(code, nobody, 0), Status::used_up);
    code.max_uses = 1'001;
    EXPECT_EQ(judge_promo_code(code, nobody, 0), Status::not_used);
    code.max_uses_per_member = 2;
    EXPECT_EQ(judge_promo_code(code, nobody, 0), Status::no_profile);
    code.uses_of_buyer = 1;
    EXPECT_EQ(judge_promo_code(code, guest, 0), Status::not_used);
    code.uses_of_buyer = 2;
    EXPECT_EQ(judge_promo_code(code, ann, 0), Status::used_up);
}

// Two promotions behind one pool, one behind another that has nothing to reduce.
TEST(PromoCode, TheFirstUsableOneOfAPoolIsUsedIfItsPromotionHasAnEffect) {
    build::TreeBuilder builder;
    const auto percent = build::benefit("discount", {{"percent", "10"}});
    builder.promotion("first", {build::on_products({percent})}).pool = "a";
    builder.promotion("second", {build::on_products({percent})}).pool = "a";
    const auto shipping = build::benefit("discount", {{"percent", "10"}, {"target", "shipping"}});
    builder.promotion("idle", {build::on_order({shipping})}).pool = "b";
    Order order = build::OrderBuilder().line("1", 1'000).get();
    const auto give = [&](Status status, std::uint32_t pool) {
        PromoCode code;
        code.status = status;
        code.pool = pool;
        order.promo_codes.push_back(code);
    };
    give(Status::expired, 0);
    give(Status::not_used, 0);
    give(Status::not_used, 0);
    give(Status::not_used, 1);
    give(Status::not_used, none);
    give(Status::unknown_code, none);
    order.pools = {0, 1};
    const Calculation calculation = build::calculate(builder.tree, order);
    EXPECT_EQ(calculation.promo_codes, (std::vector{Status::expired, Status::used, Status::not_used, Status::not_used,
                                                    Status::not_used, Status::unknown_code}));
    EXPECT_EQ(calculation.total, Money{810});
}

}  // namespace
}  // namespace loyalty
