#include "core/compile/combination.hpp"

#include "core/benefits/benefit_types.hpp"
#include "core/error.hpp"

namespace loyalty {

void check_combination(const TreePromotion& promotion, Index parent, const BenefitEntry& benefit, bool at_several_lines,
                       const Program& program) {
    const BenefitType& type = *benefit.type;
    const bool is_summable = can_be_summed(benefit);
    const auto refuse = [&](const std::string& where, const std::string& why) {
        throw Error(
            sqlstate::wrong_combination,
            "benefit \"" + std::string(type.name) + "\" of promotion \"" + promotion.id + "\" cannot stand " + where,
            why, "Move the promotion, or choose another type of arbitration.");
    };
    if (!is_summable && promotion.benefit_rule == BenefitRule::parallel)
        refuse("in a parallel promotion", "Benefits of a parallel promotion are added up, and this one cannot be.");
    for (Index index = parent; index != none; index = program.groups[index].parent) {
        const Group& group = program.groups[index];
        if (!is_summable && group.arbitration == Arbitration::summation)
            refuse("under summation", "Group \"" + group.id + "\" adds up what stands in it, and this one cannot be.");
        if (!type.comparable && group.arbitration == Arbitration::max_benefit)
            refuse("under max_benefit", "Group \"" + group.id + "\" compares what its children are worth.");
        if (!type.replaceable && group.arbitration == Arbitration::incompatibility)
            refuse(
                "under incompatibility",
                "In group \"" + group.id + "\" one takes the place of another, and this one adds to what others give.");
        if (at_several_lines && group.best == Best::single_by_line)
            refuse("under the best of each line",
                   "Group \"" + group.id + "\" chooses for each line apart, and this one looks at several together.");
    }
}

}  // namespace loyalty
