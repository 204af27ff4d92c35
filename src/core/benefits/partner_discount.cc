// partner_discount: the discount that a product's partner gives.
//
//     {}                          products of all partners
//     {"partners": ["acme"]}      of some
//
// The percentage is the partner product's own (loyalty.partner_products), in force from the partner's start date.
#include "core/benefits/benefits.hpp"

namespace loyalty {

namespace {

class PartnerDiscount final : public Benefit {
public:
    PartnerDiscount(Parameters& parameters, const BenefitSetting& setting) : partners_(parameters, setting) {
        parameters.finish();
    }

    std::optional<Reach> reach() const override { return Reach{}; }
    std::vector<ReachFrom> reaches(const Program& program) const override {
        std::vector<ReachFrom> all;
        for (const auto& product : program.partner_products) {
            if (!partners_.include(product.partner) || !product.discount) continue;
            Reach reach;
            reach.share = *product.discount;
            all.push_back({Decimal{}, reach});
        }
        return all;
    }
    std::optional<Money> cut(const Program& program, const Line& line, Money total, Quantity) const override {
        const PartnerProduct* terms = partners_.terms(program, line);
        return terms && terms->discount ? Money{scaled(total.units, *terms->discount)} : Money{};
    }

    Proposal propose(View view) const override {
        Proposal proposal;
        for (const auto& part : view.parts) {
            const Line& line = view.order.lines[view.state.groups[part.group].line];
            const PartnerProduct* terms = partners_.terms(view.program, line);
            if (!terms || !terms->discount) continue;
            proposal.parts.push_back(part);
            proposal.parts.back().asked = *cut(view.program, line, part.total, part.quantity);
        }
        if (proposal.parts.empty()) proposal.reason = Reason::no_partner_terms;
        return proposal;
    }

private:
    PartnersParameter partners_;
};

}  // namespace

std::unique_ptr<const Benefit> read_partner_discount(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<PartnerDiscount>(parameters, setting);
}

}  // namespace loyalty
