// points_discount: a part of the price is paid with points, as far as the order asks to redeem that type.
//
//     {"point_type": "bonus", "percent": 15}     up to 15 % of the price
//     {"point_type": "bonus", "amount": 5}       on products: up to 5.00 of each unit
//     {"point_type": "bonus", "points": 100}     on products: the worth of 100 points of each unit; on orders: of all
//     {"point_type": "bonus", "amount": 5, "per": "line"}     of each line; "order": of all lines together
//     {"point_type": "bonus", "percent": 15, "segments": ["shoes"]}    on orders: of the goods in these segments only
//
// Money is proposed here; how many points it takes is rounded up once for all of the order (calculate.cc).
#include "core/benefits/benefits.hpp"

#include "core/benefits/pick.hpp"

#include <algorithm>

namespace loyalty {

namespace {

class PointsDiscount final : public Payment {
public:
    PointsDiscount(Parameters& parameters, const BenefitSetting& setting)
        : Payment(parameters, setting),
          percent_(parameters.percent("percent")),
          per_(read_per(parameters, setting.level, !parameters.has("percent"))) {
        if (setting.level == Level::product) {
            parameters.exactly_one({"percent", "amount", "points"});
            if (const auto amount = parameters.amount("amount", setting.currency_scale)) amount_ = Fraction{*amount, 1};
            items_ = ItemLimit::read(parameters);
        } else {
            parameters.exactly_one({"percent", "points"});
        }
        if (const auto points = parameters.amount("points", type() ? type()->scale : 4); points && type()) {
            amount_ = Fraction{*points, 1} * type()->points_per_money.inverse();
            rounding_ = Rounding::down;
        }
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        if (items_.per_line || looks_around()) return std::nullopt;
        return most();
    }
    std::vector<ReachFrom> reaches(const Program&) const override { return {{Decimal{}, most()}}; }

private:
    Reach most() const {
        Reach reach;
        if (percent_) reach.share = *percent_;
        if (!percent_ && per_ != Per::line) reach.amount = amount_;
        reach.once = per_ == Per::order;
        if (!items_.per_line) reach.items = items_.max_items;
        reach.pays = true;
        return reach;
    }

    void pay(const View& view, Proposal& proposal) const override {
        proposal.parts = pick(view, items_);
        if (view.level == Level::product && per_ != Per::unit) {
            if (per_ == Per::line) number_lines(view, proposal.parts);
            proposal.is_amount = true;
            ask_once(proposal.parts, times(Money{1}, amount_, one_unit, rounding_));
        } else if (view.level == Level::product) {
            for (auto& part : proposal.parts) part.asked = payment(part.total, part.quantity);
        } else {
            Money goods, no_shipping;
            for (const auto& part : proposal.parts) goods += part.total;
            proposal.is_amount = !percent_;
            allot_over(proposal.parts, Money{}, payment(goods, one_unit), no_shipping);
        }
    }

    Money payment(Money total, Quantity quantity) const {
        if (percent_) return {scaled(total.units, *percent_)};
        return std::min(total, times(Money{1}, amount_, quantity, rounding_));
    }

    std::optional<Fraction> percent_;
    Per per_;
    Fraction amount_;  // money per unit, or for the order, in smallest units
    Rounding rounding_ = Rounding::half_up;  // of a number of points down: it takes no more of them
    ItemLimit items_;
};

}  // namespace

std::unique_ptr<const Benefit> read_points_discount(Parameters& parameters, const BenefitSetting& setting) {
    parameters.refuse("marginal", "It is for points that are earned.");
    return read_with_steps(parameters, setting, [](Parameters& own, const BenefitSetting& of) {
        return std::unique_ptr<const Benefit>(std::make_unique<PointsDiscount>(own, of));
    });
}

}  // namespace loyalty
