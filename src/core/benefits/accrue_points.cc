// accrue_points: the member earns points.
//
//     {"point_type": "bonus", "percent": 10}      10 % of the price back: worth 10 % of it through the ratio
//     {"point_type": "bonus", "points": 50}       on products: 50 for each unit; on orders: 50 for the order
//     …, "credit_on": "delivered"                 credited when the order (or line) reaches that status; default "new"
//     …, "delay": "14 days"                       active that long after they are credited
//
// Rounded once per line; on orders once for all goods, shipping not included.
#include "core/benefits/benefits.hpp"

#include "core/allot.hpp"
#include "core/error.hpp"
#include "core/order.hpp"
#include "core/program.hpp"

namespace loyalty {

namespace {

class AccruePoints final : public Benefit {
public:
    AccruePoints(Parameters& parameters, const BenefitSetting& setting)
        : type_(parameters, setting),
          credit_on_(parameters.text("credit_on").value_or("new")),
          delay_(parameters.text("delay").value_or("")) {
        parameters.exactly_one({"percent", "points"});
        const PointType* type = type_.type();
        if (const auto percent = parameters.percent("percent", 100'000); percent && type) {
            per_money_ = *percent * type->points_per_money;
        }
        if (const auto points = parameters.amount("points", type ? type->scale : 4)) points_ = Points{*points};
        parameters.finish();
    }

    std::uint32_t point_type() const override { return type_.index(); }
    std::optional<Reach> reach() const override {
        Reach reach;
        reach.goods = false;
        reach.points = points_ ? Reach::Points::fixed : Reach::Points::by_price;
        reach.points_per_money = per_money_;
        return reach;
    }
    std::string_view credit_on() const override { return credit_on_; }
    std::string_view delay() const override { return delay_; }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = view.level;
        proposal.point_type = type_.index();
        if (view.order.buyer.kind != BuyerKind::member) {
            proposal.reason = Reason::not_a_member;
        } else if (!view.order.buyer.balances[type_.index()].usable) {
            proposal.reason = Reason::point_type_inactive;
        } else if (view.level == Level::product) {
            for_lines(view, proposal);
        } else {
            for_order(view, proposal);
        }
        return proposal;
    }

private:
    Points points(Money total, Quantity quantity) const {
        if (points_) return {scaled(points_->units, {quantity.units, one_unit.units})};
        return {scaled(total.units, per_money_)};
    }

    // One sum per line, whatever groups it has been split into.
    void for_lines(const View& view, Proposal& proposal) const {
        const auto line_of = [&](std::size_t i) { return view.state.groups[view.parts[i].group].line; };
        for (std::size_t i = 0; i < view.parts.size();) {
            const auto line = line_of(i);
            Money total;
            Quantity quantity;
            for (; i < view.parts.size() && line_of(i) == line; i++) {
                total += view.parts[i].total;
                quantity += view.parts[i].quantity;
            }
            if (const Points earned = points(total, quantity); !earned.is_zero())
                proposal.accruals.push_back({line, earned});
        }
    }

    // One sum for the order, attributed to the lines it is based on, so that a return can take back its share.
    void for_order(const View& view, Proposal& proposal) const {
        std::vector<std::int64_t> weights;
        std::vector<std::uint32_t> lines;
        Money goods;
        for (const auto& part : view.parts) {
            const auto line = view.state.groups[part.group].line;
            if (lines.empty() || lines.back() != line) {
                lines.push_back(line);
                weights.push_back(0);
            }
            weights.back() += part.total.units;
            goods += part.total;
        }
        const Points earned = points(goods, one_unit);
        if (lines.empty() || earned.is_zero()) return;
        if (goods.is_zero()) {
            proposal.accruals.push_back({no_line, earned});
            return;
        }
        const auto shares = allot(earned.units, weights);
        for (std::size_t i = 0; i < lines.size(); i++) {
            if (shares[i] != 0) proposal.accruals.push_back({lines[i], Points{shares[i]}});
        }
    }

    PointTypeParameter type_;
    std::string credit_on_;
    std::string delay_;
    Fraction per_money_;
    std::optional<Points> points_;
};

}  // namespace

std::unique_ptr<const Benefit> read_accrue_points(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<AccruePoints>(parameters, setting);
}

}  // namespace loyalty
