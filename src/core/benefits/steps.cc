// Steps: what a benefit gives depends on how much there is. Each step is the benefit as it would be without the others.
//
//     {"steps": [{"from": 50, "percent": 5}, {"from": 100, "percent": 10}]}                   by money
//     {"by": "line_items", "steps": [{"from": 3, "amount": 1}, {"from": 10, "amount": 2}]}    tier prices
//
//     by        of the order: "goods" (money of all goods, default on orders), "items" (units);
//               of the lines that the benefit is for, together: "lines_total" (default on products), "lines_items";
//               of each line alone: "line_items" (units; on products, not of accruals, which are rounded once for all)
//
//     at        "base": counted once, on the submitted order at base prices (default); "current": money of goods or of
//               the lines as earlier benefits have left it, after points, when the benefit is reached
//
// The deepest step reached applies to all that the benefit touches; below
// the first one nothing does.
#include "core/benefits/benefits.hpp"

#include "core/calculate/candidates.hpp"
#include "core/calculate/conditions.hpp"

#include <algorithm>
#include <map>

namespace loyalty {

namespace {

enum class By { goods, items, lines_total, lines_items, line_items };

struct Step {
    Decimal from;
    std::unique_ptr<const Benefit> benefit;
};

class Steps final : public Benefit {
public:
    Steps(Parameters& parameters, const BenefitSetting& setting, BenefitReader* read)
        : by_(read_by(parameters, setting)) {
        current_ = parameters.choice("at", {"base", "current"}) == 1;
        if (current_ && by_ != By::goods && by_ != By::lines_total)
            parameters.fail("at", "current", "\"base\": units are the same whatever they cost");
        for (auto& step : parameters.steps()) steps_.push_back({step.from, read(step.parameters, setting)});
        if (by_ != By::line_items) return;
        if (!first().credit_on().empty())
            parameters.fail("by", "line_items", "another one: points are rounded once for all lines");
        const bool per_order = parameters.has("per") && *parameters.text("per") == "order";
        if (per_order) parameters.fail("by", "line_items", "another one: what is for all lines has no line's quantity");
        if (parameters.has("max_items") && !parameters.has("max_items_per"))
            parameters.fail("by", "line_items", "another one, or \"max_items_per\": items of all lines are of no line");
    }

    std::optional<Reach> reach() const override {
        if (current_) return std::nullopt;
        std::optional<Reach> most = steps_.front().benefit->reach();
        for (const auto& step : steps_) {
            const auto reach = step.benefit->reach();
            if (!most || !reach) return std::nullopt;
            if (is_more(reach->share, most->share)) most->share = reach->share;
            if (!reach->amount || !most->amount) {
                most->amount.reset();
            } else if (is_more(*reach->amount, *most->amount)) {
                most->amount = reach->amount;
            }
            if (is_more(reach->points_per_money, most->points_per_money))
                most->points_per_money = reach->points_per_money;
            most->cheapest = false;  // lines may reach different steps
        }
        return most;
    }

    // By money each from its own step on; what it takes at the order's or its lines' goods, the order's come to at
    // least.
    std::vector<ReachFrom> reaches(const Program& program) const override {
        const bool money = (by_ == By::goods || by_ == By::lines_total) && !current_;
        std::vector<ReachFrom> all;
        for (const auto& step : steps_) {
            for (const auto& one : step.benefit->reaches(program))
                all.push_back({money ? step.from : one.total, one.reach});
        }
        return all;
    }

    bool has_steps() const override { return true; }
    Needs needs() const override { return first().needs(); }
    bool looks_around() const override { return current_ || first().looks_around(); }
    bool sums() const override { return first().sums(); }
    std::uint32_t point_type() const override { return first().point_type(); }
    std::string_view credit_on() const override { return first().credit_on(); }
    std::string_view delay() const override { return first().delay(); }
    const std::vector<Index>& segments() const override { return first().segments(); }

    Proposal propose(View view) const override {
        if (by_ == By::line_items) return propose_by_line(view);
        const auto lines = lines_for(view);
        const Benefit* reached =
            reached_with(current_ ? count_now(view, lines) : count(view.program, view.order, lines));
        return reached ? reached->propose(std::move(view)) : below_first(view.level);
    }

    std::optional<NextStep> next_step(const Program& program, const Order& order,
                                      std::span<const std::uint32_t> condition_lines) const override {
        if (by_ == By::line_items || current_) return std::nullopt;
        const bool on_order = condition_lines.empty();
        const auto lines = on_order ? seen_lines(order) : std::vector(condition_lines.begin(), condition_lines.end());
        const Decimal value = count(program, order, lines);
        for (const auto& step : steps_) {
            if (value < step.from)
                return NextStep{by_ == By::lines_total || by_ == By::lines_items,
                                by_ == By::items || by_ == By::lines_items, step.from, value, {}};
        }
        return std::nullopt;
    }

private:
    static By read_by(Parameters& parameters, const BenefitSetting& setting) {
        if (!parameters.has("by")) {
            const bool of_order = setting.level == Level::order && !parameters.has("segments");
            return of_order ? By::goods : By::lines_total;
        }
        const auto by = static_cast<By>(
            parameters.choice("by", {"goods", "items", "lines_total", "lines_items", "line_items"}));
        if (by == By::line_items && setting.level == Level::order)
            parameters.fail("by", "line_items", "one that the order has: goods, items, lines_total or lines_items");
        return by;
    }

    static bool is_more(const Fraction& a, const Fraction& b) {
        return checked_product(a.numerator, b.denominator) > checked_product(b.numerator, a.denominator);
    }

    const Benefit& first() const { return *steps_.front().benefit; }

    const Benefit* reached_with(const Decimal& value) const {
        const Benefit* reached = nullptr;
        for (const auto& step : steps_) {
            if (value >= step.from) reached = step.benefit.get();
        }
        return reached;
    }

    Proposal below_first(Level level) const {
        Proposal proposal;
        proposal.level = level;
        proposal.reason = Reason::below_first_step;
        return proposal;
    }

    // The lines whose goods a benefit on the order sees.
    std::vector<std::uint32_t> seen_lines(const Order& order) const {
        std::vector<std::uint32_t> lines;
        for (std::uint32_t line = 0; line < order.lines.size(); line++) {
            if (is_for(*this, order.lines[line])) lines.push_back(line);
        }
        return lines;
    }

    // All that its condition is for, whatever others have taken.
    std::vector<std::uint32_t> lines_for(const View& view) const {
        if (view.level == Level::order) return seen_lines(view.order);
        return {view.condition_lines.begin(), view.condition_lines.end()};
    }

    Decimal count(const Program& program, const Order& order, const std::vector<std::uint32_t>& lines) const {
        const bool of_order = by_ == By::goods || by_ == By::items;
        const Goods goods = of_order ? goods_of(order) : goods_of(order, lines);
        const bool money = by_ == By::goods || by_ == By::lines_total;
        return money ? Decimal::of(goods.total.units, program.currency_scale)
                     : Decimal::of(goods.items.units, quantity_scale);
    }

    Decimal count_now(const View& view, const std::vector<std::uint32_t>& lines) const {
        const Money money = by_ == By::goods ? view.state.goods() : view.state.goods_of(lines);
        return Decimal::of(money.units, view.program.currency_scale);
    }

    // Each line at the step of its own quantity; lines of one product at one price are one line.
    Proposal propose_by_line(View& view) const {
        std::vector<Part> parts = view.parts;
        number_lines(view, parts);
        std::map<std::uint32_t, Quantity> quantities;
        std::map<std::pair<std::string_view, UnitPrice>, std::uint32_t> numbers;
        for (const auto line : view.condition_lines) {
            const Line& of = view.order.lines[line];
            numbers.try_emplace({of.product, of.price}, line);
            quantities[numbers.at({of.product, of.price})] += of.quantity;
        }
        std::map<const Benefit*, std::vector<Part>> parts_of;
        for (Part part : parts) {
            const Line& of = view.order.lines[view.state.groups[part.group].line];
            const Quantity quantity = quantities.at(numbers.at({of.product, of.price}));
            part.sum = 0;
            parts_of[reached_with(Decimal::of(quantity.units, quantity_scale))].push_back(part);
        }
        parts_of.erase(nullptr);
        if (parts_of.empty()) return below_first(view.level);
        return together(view, parts_of);
    }

    Proposal together(View& view, const std::map<const Benefit*, std::vector<Part>>& parts_of) const {
        Proposal all;
        bool is_first = true;
        for (const auto& step : steps_) {
            const auto found = parts_of.find(step.benefit.get());
            if (found == parts_of.end()) continue;
            view.parts = found->second;
            Proposal proposal = step.benefit->propose(view);
            if (is_first) {
                all = std::move(proposal);
            } else {
                all.parts.insert(all.parts.end(), proposal.parts.begin(), proposal.parts.end());
            }
            is_first = false;
        }
        std::sort(all.parts.begin(), all.parts.end(), [](const Part& a, const Part& b) { return a.group < b.group; });
        return all;
    }

    By by_;
    bool current_ = false;
    std::vector<Step> steps_;
};

}  // namespace

std::unique_ptr<const Benefit> read_with_steps(Parameters& parameters, const BenefitSetting& setting,
                                               BenefitReader* read) {
    if (parameters.has("steps")) return std::make_unique<Steps>(parameters, setting, read);
    parameters.refuse("by", "It says what \"steps\" go by.");
    parameters.refuse("at", "It says at which prices \"steps\" count.");
    return read(parameters, setting);
}

}  // namespace loyalty
