// gift: a product that comes with the order for nothing.
//
//     {"product": "mug"}                                 one, when the condition is fulfilled
//     {"product": "mug", "quantity": 2}
//     {"product": "mug", "quantity": 2, "per": "set"}    two for each set that the condition's other benefits form
//
// It changes no price. Where benefits are compared it counts with what the catalogue asks for it.
#include "core/benefits/benefits.hpp"

#include <algorithm>

namespace loyalty {

namespace {

class GiftBenefit final : public Benefit {
public:
    GiftBenefit(Parameters& parameters, const BenefitSetting& setting) {
        parameters.require("product");
        const std::string product = *parameters.text("product");
        quantity_ = Quantity{parameters.count("quantity").value_or(1) * one_unit.units};
        if (setting.level == Level::order) parameters.refuse("per", "Sets are formed of products.");
        per_set_ = parameters.choice("per", {"order", "set"}) == 1;
        parameters.finish();
        if (setting.reads) product_ = number_of(setting.reads->gifts, product);
    }

    Needs needs() const override { return Needs::order; }
    std::optional<std::uint32_t> gift() const override { return product_; }
    std::optional<Reach> reach() const override {
        if (per_set_) return std::nullopt;
        Reach reach;
        reach.goods = false;
        reach.gives = true;
        return reach;
    }
    std::vector<ReachFrom> reaches(const Program&) const override { return {}; }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = view.level;
        const bool by_sets = per_set_ && view.sets;
        const std::uint32_t times = by_sets ? view.sets->times : 1;
        if (times == 0) proposal.reason = Reason::set_incomplete;
        if (view.level == Level::product && view.parts.empty()) proposal.reason = Reason::no_matching_line;
        if (proposal.reason != Reason::none) return proposal;
        const Quantity given{scaled(quantity_.units, {times, 1})};
        proposal.gift = Gift{given, times_worth(view.order, given)};
        // What it takes, if its promotion takes nothing else, are whole lines; for sets it is told of which units these
        // are.
        proposal.given_for = all_of(view);
        if (by_sets) {
            proposal.given_for.times = times;
            proposal.given_for.units.insert(proposal.given_for.units.end(), view.sets->units.begin(),
                                            view.sets->units.end());
        }
        return proposal;
    }

private:
    static std::uint32_t number_of(std::vector<std::string>& products, const std::string& product) {
        const auto found = std::find(products.begin(), products.end(), product);
        const auto number = static_cast<std::uint32_t>(found - products.begin());
        if (found == products.end()) products.push_back(product);
        return number;
    }

    Money times_worth(const Order& order, Quantity given) const {
        return product_ < order.gifts.size() ? times(order.gifts[product_].price, given) : Money{};
    }

    // Whole lines.
    static SetsFormed all_of(const View& view) {
        SetsFormed all;
        if (view.level == Level::order) return all;
        for (const auto& line : sums_by_line(view)) all.units.push_back({line.line, Quantity{}});
        return all;
    }

    std::uint32_t product_ = 0;
    Quantity quantity_;
    bool per_set_ = false;
};

}  // namespace

std::unique_ptr<const Benefit> read_gift(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<GiftBenefit>(parameters, setting);
}

}  // namespace loyalty
