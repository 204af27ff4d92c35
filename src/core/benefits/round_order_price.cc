// round_order_price: what the goods come to is rounded; it may rise. Parameters as for round_price.
//
//     {"mode": "integer_down"}
//     {"mode": "integer_down", "target": "order"}      goods (default), or order: what is paid, shipping included
//     {"mode": "integer_down", "segments": ["shoes"]}  what the goods in these product segments come to
//
// The difference is allotted over the lines by their current totals, with the target order over the shipping as well.
#include "core/benefits/benefits.hpp"

#include "core/benefits/price_step.hpp"

namespace loyalty {

namespace {

class RoundOrderPrice final : public Benefit {
public:
    RoundOrderPrice(Parameters& parameters, const BenefitSetting& setting)
        : step_(PriceStep::read(parameters, setting.currency_scale, 1)),
          with_shipping_(parameters.choice("target", {"goods", "order"}) == 1),
          segments_(parameters, setting) {
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        Reach reach = step_.reach();
        reach.shipping = with_shipping_;
        return reach;
    }

    const std::vector<Index>& segments() const override { return segments_.indexes(); }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = Level::order;
        proposal.parts = std::move(view.parts);
        proposal.is_amount = true;
        const Money shipping = with_shipping_ && view.shipping_is_free ? view.state.shipping : Money{};
        proposal.shipping_total = shipping;
        Money total = shipping;
        for (const auto& part : proposal.parts) total += part.total;
        allot_over(proposal.parts, shipping, total - step_.round(total, one_unit), proposal.shipping);
        return proposal;
    }

private:
    PriceStep step_;
    bool with_shipping_;
    SegmentsParameter segments_;
};

}  // namespace

std::unique_ptr<const Benefit> read_round_order_price(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<RoundOrderPrice>(parameters, setting);
}

}  // namespace loyalty
