// round_order_price: what the goods come to is rounded; it may rise. Parameters as for round_price.
//
//     {"mode": "integer_down"}
//
// The difference is allotted over the lines by their current totals; shipping stays out of it.
#include "core/benefits/benefits.hpp"

#include "core/money/price_step.hpp"

namespace loyalty {

namespace {

class RoundOrderPrice final : public Benefit {
public:
    RoundOrderPrice(Parameters& parameters, const BenefitSetting& setting)
        : step_(PriceStep::read(parameters, setting.currency_scale)) {
        parameters.finish();
    }

    std::optional<Reach> reach() const override { return step_.reach(); }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = Level::order;
        proposal.parts = std::move(view.parts);
        Money goods, no_shipping;
        for (const auto& part : proposal.parts) goods += part.total;
        allot_over(proposal.parts, Money{}, goods - step_.round(goods, one_unit), no_shipping);
        return proposal;
    }

private:
    PriceStep step_;
};

}  // namespace

std::unique_ptr<const Benefit> read_round_order_price(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<RoundOrderPrice>(parameters, setting);
}

}  // namespace loyalty
