// discount: money off the price of products, or off the order.
//
//     {"percent": 20}                                   20 % of the current total
//     {"steps": [{"from": 3, "price": 8}]}              8.00 each in place of a higher price (steps.cc)
//     {"amount": 5}                                     5.00 off each unit, or off the order
//     {"amount": 5, "per": "line"}                      5.00 off each line; "order": off all lines together
//     {"percent": 50, "max_items": 2, "pick": "cheapest"}
//     {"percent": 50, "max_items": 2, "max_items_per": "line"}
//     {"percent": 100, "target": "shipping"}            on orders: goods (default), shipping, order (both)
//     {"percent": 10, "segments": ["shoes"]}            on orders: of the goods in these product segments only
#include "core/benefits/benefits.hpp"

#include "core/benefits/pick.hpp"

#include <algorithm>
#include <array>

namespace loyalty {

namespace {

enum class DiscountTarget { goods, shipping, order };

class Discount final : public Benefit {
public:
    Discount(Parameters& parameters, const BenefitSetting& setting)
        : percent_(parameters.percent("percent")),
          items_(ItemLimit::read(parameters)),
          per_(read_per(parameters, setting.level, parameters.has("amount"))),
          segments_(parameters, setting) {
        parameters.exactly_one({"percent", "amount", "price"});
        if (const auto amount = parameters.amount("amount", setting.currency_scale)) amount_ = Money{*amount};
        if (const auto price = parameters.amount("price", setting.price_scale))
            price_ = UnitPrice{*price, setting.price_parts()};
        if (setting.level == Level::order) {
            target_ = static_cast<DiscountTarget>(parameters.choice("target", {"goods", "shipping", "order"}));
        }
        if (target_ == DiscountTarget::shipping) {
            parameters.refuse("max_items", "Shipping has no items.");
            parameters.refuse("segments", "Shipping is in no segment.");
        }
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        if (items_.per_line) return std::nullopt;
        return most();
    }
    std::vector<ReachFrom> reaches(const Program&) const override { return {{Decimal{}, most()}}; }
    bool sums() const override { return !price_; }
    bool never_fails() const override {
        return !items_.max_items && segments().empty() && target_ != DiscountTarget::shipping && !price_ &&
               !(percent_ && percent_->numerator == 0);
    }

    std::optional<Money> cut(const Program&, const Line&, Money total, Quantity quantity) const override {
        if (items_.max_items || per_ != Per::unit || price_) return std::nullopt;
        return reduction(total, quantity);
    }

    Needs needs() const override { return target_ == DiscountTarget::shipping ? Needs::shipping : Needs::goods; }

    const std::vector<Index>& segments() const override { return segments_.indexes(); }

    Proposal propose(View view) const override {
        return view.level == Level::product ? off_products(view) : off_order(view);
    }

private:
    Reach most() const {
        Reach reach;
        if (percent_) reach.share = *percent_;
        // What lines get off together depends on how many there are.
        if (amount_ && per_ != Per::line) reach.amount = Fraction{amount_->units, 1};
        reach.once = per_ == Per::order;
        if (!items_.per_line) reach.items = items_.max_items;
        reach.cheapest = items_.pick == Pick::cheapest;
        reach.goods = target_ != DiscountTarget::shipping;
        reach.shipping = target_ != DiscountTarget::goods;
        return reach;
    }

    // What comes off `total`, a sum for the order or a group of `quantity` units.
    Money reduction(Money total, Quantity quantity) const {
        if (percent_) return {scaled(total.units, *percent_)};
        if (price_) return std::max(Money{}, total - times(*price_, quantity));
        return std::min(total, times(*amount_, quantity));
    }

    Proposal off_products(const View& view) const {
        Proposal proposal;
        proposal.parts = pick(view, items_);
        if (per_ == Per::unit) {
            for (auto& part : proposal.parts) part.asked = reduction(part.total, part.quantity);
            return proposal;
        }
        if (per_ == Per::line) number_lines(view, proposal.parts);
        proposal.is_amount = true;
        ask_once(proposal.parts, *amount_);
        return proposal;
    }

    Proposal off_order(const View& view) const {
        Proposal proposal;
        proposal.level = Level::order;
        proposal.is_amount = amount_.has_value();
        if (target_ != DiscountTarget::shipping) proposal.parts = pick(view, items_);
        Money base;
        for (const auto& part : proposal.parts) base += part.total;
        const Money shipping =
            target_ != DiscountTarget::goods && view.shipping_is_free ? view.state.shipping : Money{};
        proposal.shipping_total = shipping;
        allot_over(proposal.parts, shipping, reduction(base + shipping, one_unit), proposal.shipping);
        return proposal;
    }

    std::optional<Fraction> percent_;
    std::optional<Money> amount_;
    std::optional<UnitPrice> price_;
    ItemLimit items_;
    Per per_;
    SegmentsParameter segments_;
    DiscountTarget target_ = DiscountTarget::goods;
};

// A price is that of a unit.
void refuse_prices(Parameters& parameters) {
    for (auto& step : parameters.steps()) step.parameters.refuse("price", "An order has no price of its own.");
}

}  // namespace

std::unique_ptr<const Benefit> read_discount(Parameters& parameters, const BenefitSetting& setting) {
    parameters.refuse("marginal", "It is for points that are earned.");
    parameters.refuse("price", "A price is that of a step: {\"from\": 1, \"price\": 8}.");
    if (parameters.has("steps") && setting.level == Level::order) refuse_prices(parameters);
    return read_with_steps(parameters, setting, [](Parameters& own, const BenefitSetting& of) {
        return std::unique_ptr<const Benefit>(std::make_unique<Discount>(own, of));
    });
}

}  // namespace loyalty
