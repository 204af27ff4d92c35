// The readers of all benefits, for the table in benefit_types.cc, and what several of them share.
#pragma once

#include "core/calculate/benefit.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <string>
#include <vector>

namespace loyalty {

std::unique_ptr<const Benefit> read_discount(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_set(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_gift(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_price_from_field(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_round_price(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_round_order_price(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_partner_discount(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_text(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_issue_promo_code(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_points_discount(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_accrue_points(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_accrue_points_from_field(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_multiply_points(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_deduct_points(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_partner_points(Parameters& parameters, const BenefitSetting& setting);

// Accruals by bands of the price.
std::unique_ptr<const Benefit> read_marginal_points(Parameters& parameters, const BenefitSetting& setting);

// Reads a benefit that may have steps, each of which `read` reads like a benefit of its own.
using BenefitReader = std::unique_ptr<const Benefit>(Parameters& parameters, const BenefitSetting& setting);
std::unique_ptr<const Benefit> read_with_steps(Parameters& parameters, const BenefitSetting& setting,
                                               BenefitReader* read);

// Allots a change of an order's price over `parts` (their `asked`), and last over a shipping price, in proportion to
// the current totals. A raise is a negative reduction.
void allot_over(std::vector<Part>& parts, Money shipping, Money reduction, Money& shipping_asked);

// What an amount is for: each unit, each line, or once for all that the benefit sees.
enum class Per { unit, line, order };

// Reads `per`, which has a meaning for amounts on products only.
Per read_per(Parameters& parameters, Level level, bool is_amount);

// Numbers the lines that the parts belong to, in Part::sum; lines of one product at one price count as one.
void number_lines(const View& view, std::vector<Part>& parts);

// Asks for `amount`, at most the price, of the parts of each sum together.
void ask_once(std::vector<Part>& parts, Money amount);

// Segments of products that a benefit on orders names.
class SegmentsParameter {
public:
    SegmentsParameter(Parameters& parameters, const BenefitSetting& setting);
    const std::vector<Index>& indexes() const { return indexes_; }

private:
    std::vector<Index> indexes_;
};

// What a benefit sees of one line, whatever unit groups it has been split into.
struct LineSum {
    std::uint32_t line;
    Money total;
    Quantity quantity;
};

std::vector<LineSum> sums_by_line(const View& view);

// A point type that a benefit names: its index in the program.
class PointTypeParameter {
public:
    PointTypeParameter(Parameters& parameters, const BenefitSetting& setting);
    std::uint32_t index() const { return index_; }
    const PointType* type() const { return type_; }
    // Refuses a type that cannot pay.
    void require_standard(const Parameters& parameters) const;

private:
    std::uint32_t index_ = no_point_type;
    const PointType* type_ = nullptr;  // null when only the form is checked
};

// A benefit that members earn points by, credited at once or when the order has come to a status, active at once or
// after a delay.
class Earning : public Benefit {
public:
    std::uint32_t point_type() const final { return type_.index(); }
    const std::vector<Index>& segments() const final { return segments_.indexes(); }
    std::string_view credit_on() const final { return credit_on_; }
    std::string_view delay() const final { return delay_; }
    Proposal propose(View view) const final;

protected:
    Earning(Parameters& parameters, const BenefitSetting& setting);
    // Adds the accruals to `proposal`, for a member.
    virtual void earn(const View& view, Proposal& proposal) const = 0;

    const PointType* type() const { return type_.type(); }

private:
    PointTypeParameter type_;
    SegmentsParameter segments_;
    std::string credit_on_;
    std::string delay_;
};

// Accruals of an order, attributed to the lines that they are based on by allotment, so that a return can take back its
// share; to the order where all of these are at 0.
void attribute(Points earned, const std::vector<LineSum>& lines, Proposal& proposal);

// A benefit that pays with points, as far as the order asks to redeem their type.
class Payment : public Benefit {
public:
    std::uint32_t point_type() const final { return type_.index(); }
    const std::vector<Index>& segments() const final { return segments_.indexes(); }
    // What it may pay depends on what the goods come to.
    bool looks_around() const final { return type() && type()->redeem_max; }
    Proposal propose(View view) const final;

protected:
    Payment(Parameters& parameters, const BenefitSetting& setting);
    // Adds what is to be paid to `proposal`.
    virtual void pay(const View& view, Proposal& proposal) const = 0;

    const PointType* type() const { return type_.type(); }

private:
    Reason refusal(const View& view) const;

    PointTypeParameter type_;
    SegmentsParameter segments_;
};

// A custom field of products that holds an amount.
class FieldParameter {
public:
    FieldParameter(Parameters& parameters, std::string_view name, const BenefitSetting& setting);

    // The amount on a line: a number from 0, of at most 18 digits before and after the point; nothing if it is none.
    std::optional<Fraction> amount(const Line& line) const;

private:
    std::size_t number_ = 0;  // in Program::reads
};

// The partners whose products a benefit is for: those named, or all.
class PartnersParameter {
public:
    PartnersParameter(Parameters& parameters, const BenefitSetting& setting);

    // The terms of a line's product; null where it is no product of these partners.
    const PartnerProduct* terms(const Program& program, const Line& line) const;
    bool include(Index partner) const;

private:
    std::optional<std::vector<Index>> partners_;
};

}  // namespace loyalty
