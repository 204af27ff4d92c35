// round_price: the price of a unit is rounded; it may rise.
//
//     {"mode": "integer"}                      to whole units of money
//     {"mode": "half"}                         to halves
//     {"mode": "integer_down"}                 down to whole units
//     {"mode": "tens"}                         down to a multiple of 10
//     {"mode": "nearest_ten"}                  to the nearest multiple of 10
//     {"step": 0.05, "direction": "up"}        to a multiple of any step: nearest (default), down, up
//
// Each unit group has a unit price of its own, its current total ÷ its quantity; it then costs round(rounded price ×
// quantity).
#include "core/benefits/benefits.hpp"

#include "core/benefits/price_step.hpp"

namespace loyalty {

namespace {

class RoundPrice final : public Benefit {
public:
    RoundPrice(Parameters& parameters, const BenefitSetting& setting)
        : step_(PriceStep::read(parameters, setting.price_scale, setting.price_parts())) {
        parameters.finish();
    }

    std::optional<Reach> reach() const override { return step_.reach(); }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.parts = std::move(view.parts);
        for (auto& part : proposal.parts) part.asked = part.total - step_.round(part.total, part.quantity);
        return proposal;
    }

private:
    PriceStep step_;
};

}  // namespace

std::unique_ptr<const Benefit> read_round_price(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<RoundPrice>(parameters, setting);
}

}  // namespace loyalty
