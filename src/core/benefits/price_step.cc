#include "core/benefits/price_step.hpp"

#include <string>

namespace loyalty {

PriceStep PriceStep::read(Parameters& parameters, int scale, std::int64_t parts) {
    parameters.exactly_one({"mode", "step"});
    PriceStep result;
    if (const auto step = parameters.amount("step", scale)) {
        result.step_ = {*step, parts};
        result.direction_ = static_cast<Direction>(parameters.choice("direction", {"nearest", "down", "up"}));
        return result;
    }
    parameters.refuse("direction", "A mode has its own.");
    struct Mode {
        int tenths;  // the step, in tenths of one unit of money
        Direction direction;
    };
    static constexpr Mode modes[] = {{10, Direction::nearest},
                                     {5, Direction::nearest},
                                     {10, Direction::down},
                                     {100, Direction::down},
                                     {100, Direction::nearest}};
    const Mode mode = modes[parameters.choice("mode", {"integer", "half", "integer_down", "tens", "nearest_ten"})];
    const auto step = static_cast<std::int64_t>(mode.tenths * power_of_ten(scale));
    if (step % 10 != 0)
        parameters.fail("mode", "half", "a mode of whole units, since the currency has no smaller ones");
    result.step_ = {step / 10, parts};
    result.direction_ = mode.direction;
    return result;
}

Money PriceStep::round(Money total, Quantity quantity) const {
    // total / quantity / step, in whole steps.
    const int128 one = checked_product(one_unit.units, step_.parts);
    const int128 price = checked_product(total.units, one);
    const int128 one_step = checked_product(step_.units, quantity.units);
    int128 steps = price / one_step;
    const int128 rest = price % one_step;
    if (direction_ == Direction::up && rest != 0) steps++;
    if (direction_ == Direction::nearest && rest >= one_step - rest) steps++;
    const int128 rounded = checked_product(steps, one_step);
    const int128 result = (rounded + one / 2) / one;
    const auto narrow = static_cast<std::int64_t>(result);
    if (narrow != result) throw_overflow();
    return {narrow};
}

Reach PriceStep::reach() const {
    const Fraction most{step_.units, checked_product(step_.parts, direction_ == Direction::nearest ? 2 : 1)};
    Reach reach;
    reach.amount = direction_ == Direction::up ? Fraction{} : most;
    if (direction_ != Direction::down) reach.raise = most;
    return reach;
}

}  // namespace loyalty
