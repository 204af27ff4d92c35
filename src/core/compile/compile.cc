#include "core/compile/compile.hpp"

#include "core/benefits/benefit_types.hpp"
#include "core/document/comparison.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <map>

namespace loyalty {

namespace {

[[noreturn]] void fail(const std::string& message, const std::string& hint) {
    throw Error(sqlstate::invalid_tree, message, {}, hint);
}

int128 common_multiple(int128 a, int128 b) { return checked_product(Fraction{a, b}.reduced().numerator, b); }

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
        check_scale(tree_.currency_scale, "currency");
        check_price_scale();
        add_point_types();
        product_segments_ = numbers_of(tree_.segments);
        order_segments_ = numbers_of(tree_.order_segments);
        profile_segments_ = numbers_of(tree_.profile_segments);
        add_partners();
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
    using Numbers = std::map<std::string, Index>;

    static Numbers numbers_of(const std::vector<Segment>& segments) {
        Numbers numbers;
        for (Index i = 0; i < segments.size(); i++) numbers[segments[i].id] = i;
        return numbers;
    }

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

    void check_price_scale() const {
        if (program_.price_scale < tree_.currency_scale || program_.price_scale > max_price_scale)
            fail("the scale of prices is " + std::to_string(program_.price_scale),
                 "It is the currency's to " + std::to_string(max_price_scale) + " decimals.");
    }

    static void check_scale(int scale, const std::string& what) {
        if (scale < 0 || scale > 4)
            fail("the scale of " + what + " is " + std::to_string(scale), "Scales are 0 to 4 decimals.");
    }

    void add_point_types() {
        for (const auto& from : tree_.point_types) {
            check_scale(from.scale, "point type \"" + from.id + "\"");
            PointType type;
            type.id = from.id;
            type.kind = from.kind;
            type.scale = from.scale;
            type.ratio = from.ratio;
            if (from.ratio.is_negative() || from.ratio.is_zero())
                fail("point type \"" + from.id + "\" has no ratio", "Set a ratio above 0.");
            type.points_per_money = Fraction::of(from.ratio) *
                                    Fraction{power_of_ten(from.scale), power_of_ten(tree_.currency_scale)}.reduced();
            type.rounding = from.rounding;
            if (from.redeem_min) type.redeem_min = redeemed(from, *from.redeem_min);
            if (from.redeem_step) type.redeem_step = redeemed(from, *from.redeem_step);
            if (const auto& percent = from.redeem_max_percent) {
                if (percent->is_negative() || percent->is_zero() || *percent > Decimal(100) || percent->scale() > 6)
                    fail("the most that points of type \"" + from.id + "\" may pay is " + percent->to_string() + " %",
                         "Give a percentage above 0 and at most 100, with at most 6 decimals.");
                type.redeem_max = Fraction::percent(*percent);
            }
            program_.point_types.push_back(std::move(type));
        }
        value_points();
    }

    static Points redeemed(const TreePointType& type, const Decimal& number) {
        const auto units = number.units(type.scale);
        if (!units || *units <= 0)
            fail("points of type \"" + type.id + "\" are redeemed by " + number.to_string(),
                 "Give a number above 0 with the decimals of the type.");
        return {*units};
    }

    // Points of different types are compared with money in whole numbers of a common denominator.
    void value_points() {
        constexpr int128 most = 1'000'000'000'000'000'000;
        int128 denominator = 1;
        const auto counts = [](const PointType& type) { return type.kind == PointKind::standard; };
        for (const auto& type : program_.point_types) {
            if (!counts(type)) continue;
            denominator = common_multiple(denominator, type.points_per_money.numerator);
            if (denominator > most) {
                fail("the ratios of the point types have no common denominator below 10^18",
                     "Use ratios with fewer digits.");
            }
        }
        program_.value_denominator = denominator;
        for (auto& type : program_.point_types) {
            if (!counts(type)) continue;
            type.value =
                checked_product(denominator / type.points_per_money.numerator, type.points_per_money.denominator);
        }
    }

    void add_partners() {
        std::map<std::string, Index> indexes;
        for (const auto& from : tree_.partners) {
            indexes[from.id] = static_cast<Index>(program_.partners.size());
            program_.partners.push_back({from.id, from.starts_on});
        }
        for (const auto& from : tree_.partner_products) {
            const auto partner = indexes.find(from.partner);
            if (partner == indexes.end()) {
                fail("product \"" + from.sku + "\" is one of the unknown partner \"" + from.partner + "\"",
                     "Make the partner first.");
            }
            const auto index = static_cast<Index>(program_.partner_products.size());
            program_.partner_products.push_back(terms(from, partner->second));
            if (!program_.partner_product_of.emplace(from.sku, index).second)
                fail("product \"" + from.sku + "\" has two partners", "A product has at most one.");
        }
    }

    static PartnerProduct terms(const TreePartnerProduct& from, Index partner) {
        const auto share = [&](const Decimal& percent) {
            if (percent.is_negative() || percent > Decimal(100) || percent.scale() > 18)
                fail("a percentage of product \"" + from.sku + "\" is out of range",
                     "Percentages are 0 to 100, with at most 18 decimals.");
            return Fraction::percent(percent);
        };
        const auto points = [&](const Decimal& number) {
            if (number.is_negative() || number.scale() > 4 || !number.units(4))
                fail("a number of points of product \"" + from.sku + "\" is out of range",
                     "Give 0 or more, with at most 14 digits before and 4 after the point.");
            return Fraction::of(number);
        };
        PartnerProduct product;
        product.partner = partner;
        product.points_unit = from.points_unit;
        if (from.discount_percent) product.discount = share(*from.discount_percent);
        if (from.points_value)
            product.points_value =
                from.points_unit == ValueUnit::percent ? share(*from.points_value) : points(*from.points_value);
        if (from.max_payable_points) product.max_payable_points = points(*from.max_payable_points);
        return product;
    }

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
            fail("the promotion tree of program \"" + tree_.program + "\" has no main arbitration",
                 "Exactly one group has no parent.");
        }
        add_group(*std::find_if(tree_.groups.begin(), tree_.groups.end(), is_main), none, 0);
        // Every node was reached from the main arbitration.
        if (program_.groups.size() != tree_.groups.size() || program_.promotions.size() != tree_.promotions.size()) {
            fail("the promotion tree of program \"" + tree_.program + "\" has nodes that hang on no group",
                 "Give every group and promotion an existing parent.");
        }
    }

    Index add_group(const TreeGroup& from, Index parent, int depth) {
        if (depth > max_group_levels) {
            fail("group \"" + from.id + "\" is nested too deeply",
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
                fail("a limit of group \"" + from.id + "\" is out of range", "Percentages are 0 to 100.");
            return Fraction::percent(percent);
        };
        const auto units_of = [&](const Decimal& amount, int scale, const char* whose) {
            const auto units = amount.units(scale);
            if (amount.is_negative())
                fail("a limit of group \"" + from.id + "\" is out of range", "Amounts are 0 or more.");
            if (!units)
                fail("a limit of group \"" + from.id + "\" has more decimals than " + whose, "Round it to that scale.");
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
            add_access(from, program_.promotions[index]);
            if (from.usage_limits.any()) program_.limited_promotions.push_back(index);
            for (const auto& condition : from.conditions) add_condition(from, parent, index, condition);
            program_.promotions[index].last_condition = static_cast<Index>(program_.conditions.size());
        }
        return index;
    }

    // For whom, when and where the promotion is.
    void add_access(const TreePromotion& from, Promotion& to) {
        to.audience = from.audience;
        if (from.audience == Audience::guests && from.kind == PromotionKind::points)
            fail("points promotion \"" + from.id + "\" is for guests", "Only members have points: make it a discount.");
        for (const auto& id : from.audience_segments)
            to.audience_segments.push_back(find_segment(profile_segments_, id, from.id, "profile segment"));
        for (const auto& id : from.audience_tiers) {
            to.audience_tiers.push_back(number_of(program_.tiers, id));
            program_.conditions_of_tier.resize(program_.tiers.size());
        }
        to.starts_at = from.starts_at;
        to.ends_at = from.ends_at;
        add_order_gate(from, to);
        if (from.schedule) to.schedule = schedule(from);
        if (!from.pool.empty()) {
            to.pool = number_of(program_.pools, from.pool);
            program_.conditions_of_pool.resize(program_.pools.size());
        }
        to.channels = from.channels;
        to.contact_points = from.contact_points;
        to.regions = from.regions;
        to.usage_limits = from.usage_limits;
    }

    void add_order_gate(const TreePromotion& from, Promotion& to) {
        to.order_mode = from.order_mode;
        for (const auto& id : from.order_segments)
            to.order_segments.push_back(find_segment(order_segments_, id, from.id, "order segment"));
        to.minimum = from.minimum;
    }

    static Schedule schedule(const TreePromotion& from) {
        const auto refuse = [&](const std::string& why, const std::string& hint) {
            fail("the schedule of promotion \"" + from.id + "\" " + why, hint);
        };
        Schedule schedule = *from.schedule;
        const auto is_time_of_day = [](const std::optional<std::int64_t>& time) {
            return time && *time >= 0 && *time <= day_us;
        };
        const bool has_window = schedule.from_us || schedule.to_us;
        if (has_window && !(is_time_of_day(schedule.from_us) && is_time_of_day(schedule.to_us)))
            refuse("has no window of the day", "Give two times of day, from 00:00 to 24:00.");
        if (schedule.every < 0) refuse("counts backwards", "Count every 1 or more.");
        if (schedule.every == 0) return schedule;
        if (!from.starts_at) refuse("counts from a start that it does not have", "Give the promotion a start.");
        schedule.start_day = from.starts_at->day();
        return schedule;
    }

    // The place of `id` in the list, to which it is added if it is new.
    static Index number_of(std::vector<std::string>& list, const std::string& id) {
        const auto found = std::find(list.begin(), list.end(), id);
        const auto number = static_cast<Index>(found - list.begin());
        if (found == list.end()) list.push_back(id);
        return number;
    }

    static Index find_segment(const Numbers& segments, const std::string& id, const std::string& promotion,
                              const std::string& noun) {
        const auto found = segments.find(id);
        if (found == segments.end()) {
            fail("promotion \"" + promotion + "\" names the unknown " + noun + " \"" + id + "\"",
                 "Make the segment first.");
        }
        return found->second;
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
            fail("an order condition of promotion \"" + promotion.id + "\" asks for what only product conditions can",
                 "Let the promotion ask for min_items or min_total.");
        const bool of_products = from.level == Level::product;
        for (const auto& id : from.segments) {
            condition.segments.push_back(of_products
                                             ? find_segment(product_segments_, id, promotion.id, "product segment")
                                             : find_segment(order_segments_, id, promotion.id, "order segment"));
        }
        condition.first_benefit = static_cast<Index>(program_.benefits.size());
        for (const auto& benefit : from.benefits) {
            add_benefit(promotion, parent, from.level, index, benefit);
            condition.has_set = condition.has_set || benefit.benefit == "set";
        }
        condition.last_benefit = static_cast<Index>(program_.benefits.size());
        index_condition(program_.promotions[promotion_index], condition, index);
        program_.conditions.push_back(std::move(condition));
    }

    // Hangs a condition where few orders come by: an order that lacks the key cannot fulfil it.
    void index_condition(const Promotion& promotion, const Condition& condition, Index index) {
        const auto hang = [&](std::vector<std::vector<Index>>& conditions, const std::vector<Index>& keys) {
            for (const Index key : keys) conditions[key].push_back(index);
        };
        const bool in_segments = condition.mode == ConditionMode::in;
        if (in_segments && condition.level == Level::product) {
            hang(program_.conditions_of_segment, condition.segments);
        } else if (promotion.pool != none) {
            hang(program_.conditions_of_pool, {promotion.pool});
        } else if (promotion.audience == Audience::tiers) {
            hang(program_.conditions_of_tier, promotion.audience_tiers);
        } else if (promotion.audience == Audience::in_segments) {
            hang(program_.conditions_of_profile_segment, promotion.audience_segments);
        } else if (in_segments) {
            hang(program_.conditions_of_order_segment, condition.segments);
        } else if (promotion.order_mode == ConditionMode::in) {
            hang(program_.conditions_of_order_segment, promotion.order_segments);
        } else {
            program_.open_conditions.push_back(index);
        }
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
                              looks_at_several_lines(from.benefit, level, from.parameters));
            if (program_.benefits.back().rule->multiplies()) program_.multiplies_points = true;
        } catch (const Error& error) {
            if (error.sqlstate() == sqlstate::wrong_combination) throw;
            throw Error(error.sqlstate(), error.message(), "The benefit belongs to promotion \"" + promotion.id + "\".",
                        error.hint());
        }
    }

    // Some benefits make no sense under some types of arbitration, at any depth.
    void check_combination(const TreePromotion& promotion, Index parent, const BenefitEntry& benefit,
                           bool at_several_lines) const {
        const BenefitType& type = *benefit.type;
        const bool is_summable = can_be_summed(benefit);
        const auto refuse = [&](const std::string& where, const std::string& why) {
            throw Error(sqlstate::wrong_combination,
                        "benefit \"" + std::string(type.name) + "\" of promotion \"" + promotion.id +
                            "\" cannot stand " + where,
                        why, "Move the promotion, or choose another type of arbitration.");
        };
        if (!is_summable && promotion.benefit_rule == BenefitRule::parallel)
            refuse("in a parallel promotion", "Benefits of a parallel promotion are added up, and this one cannot be.");
        for (Index index = parent; index != none; index = program_.groups[index].parent) {
            const Group& group = program_.groups[index];
            if (!is_summable && group.arbitration == Arbitration::summation)
                refuse("under summation",
                       "Group \"" + group.id + "\" adds up what stands in it, and this one cannot be.");
            if (!type.comparable && group.arbitration == Arbitration::max_benefit)
                refuse("under max_benefit", "Group \"" + group.id + "\" compares what its children are worth.");
            if (!type.replaceable && group.arbitration == Arbitration::incompatibility)
                refuse("under incompatibility",
                       "In group \"" + group.id + "\" one takes the place of another, and this one adds to what others give.");
            if (at_several_lines && group.best == Best::single_by_line)
                refuse("under the best of each line",
                       "Group \"" + group.id + "\" chooses for each line apart, and this one looks at several together.");
        }
    }

    const Tree& tree_;
    Program program_;
    std::map<std::string, std::vector<TreeChild>> children_;
    Numbers product_segments_, order_segments_, profile_segments_;
};

}  // namespace

std::size_t read_path(std::vector<Reads::Path>& paths, const Reads::Path& path) {
    const auto found = std::find(paths.begin(), paths.end(), path);
    const auto number = static_cast<std::size_t>(found - paths.begin());
    if (found == paths.end()) paths.push_back(path);
    return number;
}

Index Program::point_type(std::string_view wanted) const {
    for (Index i = 0; i < point_types.size(); i++) {
        if (point_types[i].id == wanted) return i;
    }
    return none;
}

namespace {

template <class List, class Name>
std::vector<Index> places(const std::vector<std::string>& names, const List& list, const Name& name_of) {
    std::vector<Index> found;
    for (Index i = 0; i < list.size(); i++) {
        if (std::find(names.begin(), names.end(), name_of(list[i])) != names.end()) found.push_back(i);
    }
    return found;
}

}  // namespace

std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<std::string>& list) {
    return places(names, list, [](const std::string& name) -> const std::string& { return name; });
}

std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<Segment>& list) {
    return places(names, list, [](const Segment& segment) -> const std::string& { return segment.id; });
}

Program compile(const Tree& tree, std::int32_t version) { return Compiler(tree, version).run(); }

}  // namespace loyalty
