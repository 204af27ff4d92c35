// partner_points: the points that a product's partner gives, or takes in payment.
//
//     {"point_type": "bonus", "mode": "accrue"}                          earned
//     {"point_type": "bonus", "mode": "pay", "partners": ["acme"]}       paid with
//     …, "credit_on": "delivered", "delay": "14 days"                    earned: as for accrue_points
//
// How many is the partner product's own value (loyalty.partner_products): points for each unit, or a percentage of the
// price. Of a payment at most what can be paid with points for each unit. In force from the partner's start date.
#include "core/benefits/benefits.hpp"

#include <algorithm>

namespace loyalty {

namespace {

bool has_points(const PartnerProduct* terms) { return terms && terms->points_value; }

// Points in their smallest unit.
Fraction smallest_units(const Fraction& points, const PointType& type) {
    return points * Fraction{power_of_ten(type.scale), 1};
}

class PartnerAccrual final : public Earning {
public:
    PartnerAccrual(Parameters& parameters, const BenefitSetting& setting)
        : Earning(parameters, setting), partners_(parameters, setting) {
        parameters.finish();
    }

    std::vector<ReachFrom> reaches(const Program& program) const override {
        std::vector<ReachFrom> all;
        for (const auto& product : program.partner_products) {
            if (!partners_.include(product.partner) || !product.points_value) continue;
            Reach reach;
            reach.goods = false;
            const bool by_price = product.points_unit == ValueUnit::percent;
            reach.points = by_price ? Reach::Points::by_price : Reach::Points::fixed;
            if (by_price) reach.points_per_money = *product.points_value * type()->points_per_money;
            all.push_back({Decimal{}, reach});
        }
        return all;
    }

private:
    void earn(const View& view, Proposal& proposal) const override {
        bool any = false;
        for (const auto& line : sums_by_line(view)) {
            const PartnerProduct* terms = partners_.terms(view.program, view.order.lines[line.line]);
            if (!has_points(terms)) continue;
            any = true;
            const Points earned = points(*terms, line);
            if (!earned.is_zero()) proposal.accruals.push_back({line.line, earned});
        }
        if (!any) proposal.reason = Reason::no_partner_terms;
    }

    Points points(const PartnerProduct& terms, const LineSum& line) const {
        if (terms.points_unit == ValueUnit::percent)
            return {scaled(line.total.units, *terms.points_value * type()->points_per_money, type()->rounding)};
        return {scaled(line.quantity.units, smallest_units(*terms.points_value, *type()) * Fraction{1, one_unit.units},
                       type()->rounding)};
    }

    PartnersParameter partners_;
};

class PartnerPayment final : public Payment {
public:
    PartnerPayment(Parameters& parameters, const BenefitSetting& setting)
        : Payment(parameters, setting), partners_(parameters, setting) {
        for (const auto* name : {"credit_on", "delay"}) parameters.refuse(name, "It is for points that are earned.");
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        if (looks_around()) return std::nullopt;
        Reach reach;
        reach.pays = true;
        return reach;
    }

    std::vector<ReachFrom> reaches(const Program& program) const override {
        std::vector<ReachFrom> all;
        for (const auto& product : program.partner_products) {
            if (!partners_.include(product.partner) || !product.points_value) continue;
            Reach reach = *this->reach();
            if (product.points_unit == ValueUnit::percent) reach.share = *product.points_value;
            all.push_back({Decimal{}, reach});
        }
        return all;
    }

private:
    void pay(const View& view, Proposal& proposal) const override {
        for (const auto& part : view.parts) {
            const Line& line = view.order.lines[view.state.groups[part.group].line];
            const PartnerProduct* terms = partners_.terms(view.program, line);
            if (!has_points(terms)) continue;
            proposal.parts.push_back(part);
            proposal.parts.back().asked = payment(*terms, part.total, part.quantity);
        }
        if (proposal.parts.empty()) proposal.reason = Reason::no_partner_terms;
    }

    Money payment(const PartnerProduct& terms, Money total, Quantity quantity) const {
        const Money value = terms.points_unit == ValueUnit::percent ? Money{scaled(total.units, *terms.points_value)}
                                                                    : worth(*terms.points_value, quantity);
        const Money most = terms.max_payable_points ? worth(*terms.max_payable_points, quantity) : total;
        return std::min({value, most, total});
    }

    // So many points for each of `quantity` units, in money, which takes no more of them.
    Money worth(const Fraction& points, Quantity quantity) const {
        return times(Money{1}, smallest_units(points, *type()) * type()->points_per_money.inverse(), quantity,
                     Rounding::down);
    }

    PartnersParameter partners_;
};

}  // namespace

std::unique_ptr<const Benefit> read_partner_points(Parameters& parameters, const BenefitSetting& setting) {
    parameters.require("mode");
    if (parameters.choice("mode", {"accrue", "pay"}) == 0) return std::make_unique<PartnerAccrual>(parameters, setting);
    return std::make_unique<PartnerPayment>(parameters, setting);
}

}  // namespace loyalty
