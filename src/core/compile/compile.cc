#include "core/compile/compile.hpp"

#include "core/benefits/benefit_types.hpp"
#include "core/compile/access.hpp"
#include "core/compile/combination.hpp"
#include "core/compile/partners.hpp"
#include "core/compile/point_types.hpp"
#include "core/compile/tree_error.hpp"
#include "core/document/comparison.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <map>

namespace loyalty {

namespace {

class Compiler {
public:
    Compiler(const Tree& tree, std::int32_t version) : tree_(tree) {
        program_.id = tree.program;
        program_.currency = tree.currency;
        program_.currency_scale = tree.currency_scale;
        program_.price_scale = tree.price_scale.value_or(tree.currency_scale);
        program_.time_zone = tree.time_zone;
        program_.search_limit = tree.search_limit;
        program_.version = version;
    }

    Program run() {
        check_scales(tree_);
        compile_point_types(tree_, program_);
        product_segments_ = places_of_segments(tree_.segments);
        access_ = {places_of_segments(tree_.order_segments), places_of_segments(tree_.profile_segments)};
        compile_partners(tree_, program_);
        program_.segments = tree_.segments;
        program_.order_segments = tree_.order_segments;
        program_.profile_segments = tree_.profile_segments;
        program_.conditions_of_segment.resize(program_.segments.size());
        program_.conditions_of_order_segment.resize(program_.order_segments.size());
        program_.conditions_of_profile_segment.resize(program_.profile_segments.size());
        read_compared_fields();
        sort_children();
        add_main();
        return std::move(program_);
    }

private:
    void read_compared_fields() {
        for (const auto& segment : program_.order_segments) {
            for (const auto& comparison : comparisons_in(segment.predicate)) {
                if (comparison.path.size() > 1 && comparison.path.front() == "fields")
                    read_path(program_.reads.order, comparison.path);
            }
        }
    }

    // A child of a group as the tree names it.
    struct TreeChild {
        std::int64_t position;
        const std::string* id;
        const TreeGroup* group;
        const TreePromotion* promotion;
    };

    void sort_children() {
        for (const auto& group : tree_.groups) {
            if (!group.parent.empty()) children_[group.parent].push_back({group.position, &group.id, &group, nullptr});
        }
        for (const auto& promotion : tree_.promotions) {
            children_[promotion.parent].push_back({promotion.position, &promotion.id, nullptr, &promotion});
        }
        for (auto& [parent, children] : children_) {
            std::sort(children.begin(), children.end(), [](const TreeChild& a, const TreeChild& b) {
                return a.position != b.position ? a.position < b.position : *a.id < *b.id;
            });
        }
    }

    void add_main() {
        const auto is_main = [](const TreeGroup& group) { return group.parent.empty(); };
        if (std::count_if(tree_.groups.begin(), tree_.groups.end(), is_main) != 1) {
            refuse_tree("the promotion tree of program \"" + tree_.program + "\" has no main arbitration",
                        "Exactly one group has no parent.");
        }
        add_group(*std::find_if(tree_.groups.begin(), tree_.groups.end(), is_main), none, 0);
        // Every node was reached from the main arbitration.
        if (program_.groups.size() != tree_.groups.size() || program_.promotions.size() != tree_.promotions.size()) {
            refuse_tree("the promotion tree of program \"" + tree_.program + "\" has nodes that hang on no group",
                        "Give every group and promotion an existing parent.");
        }
    }

    Index add_group(const TreeGroup& from, Index parent, int depth) {
        if (depth > max_group_levels) {
            refuse_tree("group \"" + from.id + "\" is nested too deeply",
                        "Groups are nested at most 9 levels below the main arbitration.");
        }
        const auto index = static_cast<Index>(program_.groups.size());
        Group group;
        group.id = from.id;
        group.name = from.name;
        group.parent = parent;
        group.depth = depth;
        group.arbitration = from.arbitration;
        group.best = from.best;
        group.limits = limits(from);
        program_.groups.push_back(std::move(group));
        const auto children = children_.find(from.id);
        if (children == children_.end()) return index;
        std::vector<Child> added;
        for (const auto& child : children->second) {
            if (child.group) {
                added.push_back({true, add_group(*child.group, index, depth + 1)});
            } else {
                added.push_back({false, add_promotion(*child.promotion, index)});
            }
        }
        program_.groups[index].children = std::move(added);
        return index;
    }

    Limits limits(const TreeGroup& from) const {
        const auto share = [&](const Decimal& percent) {
            if (percent.is_negative() || percent > Decimal(100))
                refuse_tree("a limit of group \"" + from.id + "\" is out of range", "Percentages are 0 to 100.");
            return Fraction::percent(percent);
        };
        const auto units_of = [&](const Decimal& amount, int scale, const char* whose) {
            const auto units = amount.units(scale);
            if (amount.is_negative())
                refuse_tree("a limit of group \"" + from.id + "\" is out of range", "Amounts are 0 or more.");
            if (!units)
                refuse_tree("a limit of group \"" + from.id + "\" has more decimals than " + whose,
                            "Round it to that scale.");
            return *units;
        };
        Limits limits;
        if (from.max_discount_percent) limits.max_discount_share = share(*from.max_discount_percent);
        if (const auto& most = from.max_discount_amount)
            limits.max_discount_amount = Money{units_of(*most, program_.currency_scale, "the currency")};
        if (from.min_product_price_percent) limits.min_price_share = share(*from.min_product_price_percent);
        if (const auto& least = from.min_product_price_amount)
            limits.min_price_amount = program_.price(units_of(*least, program_.price_scale, "prices"));
        return limits;
    }

    Index add_promotion(const TreePromotion& from, Index parent) {
        const auto index = static_cast<Index>(program_.promotions.size());
        Promotion promotion;
        promotion.id = from.id;
        promotion.name = from.name;
        promotion.kind = from.kind;
        promotion.state = from.state;
        promotion.parent = parent;
        promotion.benefit_rule = from.benefit_rule;
        promotion.first_condition = promotion.last_condition = static_cast<Index>(program_.conditions.size());
        program_.promotions.push_back(std::move(promotion));
        // Only active promotions take part; of the others it is enough to know that they are there.
        if (from.state == PromotionState::active) {
            compile_access(from, access_, program_, program_.promotions[index]);
            if (from.usage_limits.any()) program_.limited_promotions.push_back(index);
            for (const auto& condition : from.conditions) add_condition(from, parent, index, condition);
            program_.promotions[index].last_condition = static_cast<Index>(program_.conditions.size());
        }
        return index;
    }

    void add_condition(const TreePromotion& promotion, Index parent, Index promotion_index, const TreeCondition& from) {
        const auto index = static_cast<Index>(program_.conditions.size());
        Condition condition;
        condition.promotion = promotion_index;
        condition.level = from.level;
        condition.mode = from.mode;
        condition.minimum = from.minimum;
        condition.untouched = from.untouched;
        if (from.level == Level::order && (from.minimum.any() || from.untouched))
            refuse_tree(
                "an order condition of promotion \"" + promotion.id + "\" asks for what only product conditions can",
                "Let the promotion ask for min_items or min_total.");
        const bool of_products = from.level == Level::product;
        for (const auto& id : from.segments) {
            condition.segments.push_back(of_products
                                             ? find_segment(product_segments_, id, promotion.id, "product segment")
                                             : find_segment(access_.order_segments, id, promotion.id, "order segment"));
        }
        condition.first_benefit = static_cast<Index>(program_.benefits.size());
        for (const auto& benefit : from.benefits) {
            add_benefit(promotion, parent, from.level, index, benefit);
            condition.has_set = condition.has_set || benefit.benefit == "set";
        }
        condition.last_benefit = static_cast<Index>(program_.benefits.size());
        index_condition(program_.promotions[promotion_index], condition, index, program_);
        program_.conditions.push_back(std::move(condition));
    }

    void add_benefit(const TreePromotion& promotion, Index parent, Level level, Index condition,
                     const TreeBenefit& from) {
        try {
            const BenefitType& type = benefit_type(from.benefit, promotion.kind, level);
            Parameters parameters = from.parameters;
            const BenefitSetting setting{level,
                                         program_.currency_scale,
                                         program_.price_scale,
                                         &program_.point_types,
                                         &program_.partners,
                                         &program_.segments,
                                         &program_.reads};
            program_.benefits.push_back({condition, &type, type.read(parameters, setting)});
            check_combination(promotion, parent, program_.benefits.back(),
                              looks_at_several_lines(from.benefit, level, from.parameters), program_);
            if (program_.benefits.back().rule->multiplies()) program_.multiplies_points = true;
        } catch (const Error& error) {
            if (error.sqlstate() == sqlstate::wrong_combination) throw;
            throw Error(error.sqlstate(), error.message(), "The benefit belongs to promotion \"" + promotion.id + "\".",
                        error.hint());
        }
    }

    const Tree& tree_;
    Program program_;
    std::map<std::string, std::vector<TreeChild>> children_;
    SegmentPlaces product_segments_;
    AccessPlaces access_;
};

}  // namespace

Program compile(const Tree& tree, std::int32_t version) { return Compiler(tree, version).run(); }

}  // namespace loyalty
