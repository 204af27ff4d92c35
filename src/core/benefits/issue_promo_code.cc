// issue_promo_code: who places the order is given a promo code.
//
//     {"pool": "welcome"}
//     {"pool": "welcome", "message": "Your code is {{ promo_code }}"}
//
// A quote shows the pool and the message, in which {{ promo_code }} stands until the code is issued.
#include "core/benefits/benefits.hpp"

#include "core/calculate/template.hpp"

namespace loyalty {

namespace {

class IssuePromoCode final : public Benefit {
public:
    IssuePromoCode(Parameters& parameters, const BenefitSetting& setting) {
        parameters.require("pool");
        pool_ = *parameters.text("pool");
        if (parameters.has("message")) message_.emplace(parameters, "message", Template::Subject::promo_code, setting);
        parameters.finish();
    }

    Needs needs() const override { return Needs::order; }
    const Template* text() const override { return message_ ? &*message_ : nullptr; }
    std::string_view pool() const override { return pool_; }

    std::vector<ReachFrom> reaches(const Program&) const override { return {}; }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = Level::order;
        proposal.issues_code = view.order.buyer.kind != BuyerKind::anonymous;
        if (!proposal.issues_code) proposal.reason = Reason::no_profile;
        return proposal;
    }

private:
    std::string pool_;
    std::optional<Template> message_;
};

}  // namespace

std::unique_ptr<const Benefit> read_issue_promo_code(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<IssuePromoCode>(parameters, setting);
}

}  // namespace loyalty
