// deduct_points: the member loses points.
//
//     {"point_type": "bonus", "points": 50}       on products: 50 for each unit; on orders: 50 for the order
//     …, "segments": ["shoes"]                    on orders: only where there are goods in these product segments
//
// Points of both kinds, whether or not the order asks to redeem any, and never more than the member has: what pays for
// the order comes first, deductions take of the rest of the active balance, one after the other. They are attributed to
// the lines by allotment, so that a return can give back its share.
#include "core/benefits/benefits.hpp"

#include "core/money/allot.hpp"

#include <algorithm>

namespace loyalty {

namespace {

class DeductPoints final : public Benefit {
public:
    DeductPoints(Parameters& parameters, const BenefitSetting& setting)
        : type_(parameters, setting), segments_(parameters, setting) {
        parameters.require("points");
        points_ = Points{*parameters.amount("points", type_.type() ? type_.type()->scale : 4)};
        for (const auto* name : {"credit_on", "delay"})
            parameters.refuse(name, "Points are deducted when the order is placed.");
        parameters.finish();
    }

    std::uint32_t point_type() const override { return type_.index(); }
    const std::vector<Index>& segments() const override { return segments_.indexes(); }

    std::optional<Reach> reach() const override {
        Reach reach;
        reach.goods = false;
        return reach;
    }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = view.level;
        proposal.point_type = type_.index();
        if (view.order.buyer.kind != BuyerKind::member) {
            proposal.reason = Reason::not_a_member;
            return proposal;
        }
        const Balance& balance = view.order.buyer.balances[type_.index()];
        if (!balance.usable) {
            proposal.reason = Reason::point_type_inactive;
        } else if (balance.active <= Points{}) {
            proposal.reason = Reason::no_points_left;
        } else {
            deduct(view, proposal);
        }
        return proposal;
    }

private:
    void deduct(const View& view, Proposal& proposal) const {
        const auto lines = sums_by_line(view);
        Quantity units;
        Money goods;
        for (const auto& line : lines) {
            units += line.quantity;
            goods += line.total;
        }
        const bool by_units = view.level == Level::product || goods.is_zero();
        std::vector<std::int64_t> weights;
        for (const auto& line : lines) weights.push_back(by_units ? line.quantity.units : line.total.units);
        const Fraction times = view.level == Level::product ? Fraction{units.units, one_unit.units} : Fraction{1, 1};
        const auto shares = allot(scaled(points_.units, times, type_.type()->rounding), weights);
        for (std::size_t i = 0; i < lines.size(); i++) {
            if (shares[i] != 0) proposal.deductions.push_back({lines[i].line, Points{shares[i]}});
        }
    }

    PointTypeParameter type_;
    SegmentsParameter segments_;
    Points points_;
};

}  // namespace

std::unique_ptr<const Benefit> read_deduct_points(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<DeductPoints>(parameters, setting);
}

}  // namespace loyalty
