#include "codec/tree_reader.hpp"

#include "codec/reading.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace loyalty::codec {

namespace {

std::string text_at(const Json& object, std::string_view key, const Place& place) {
    return as_text(required(object, key, place), place.member(key));
}

std::int64_t integer_at(const Json& object, std::string_view key, const Place& place) {
    return as_integer(required(object, key, place), place.member(key));
}

bool flag_at(const Json& object, std::string_view key, const Place& place) {
    const Json* value = object.find(key);
    return value && as_boolean(*value, place.member(key));
}

std::optional<Decimal> decimal_at(const Json& object, std::string_view key, const Place& place) {
    const Json* value = object.find(key);
    if (!value) return std::nullopt;
    return as_decimal(*value, place.member(key));
}

// A date such as "2026-11-22", in days since 1970-01-01.
std::int32_t date_at(const Json& object, std::string_view key, const Place& place) {
    const std::string text = text_at(object, key, place);
    int year = 0;
    unsigned month = 0, day = 0;
    int end = 0;
    if (std::sscanf(text.c_str(), "%d-%2u-%2u%n", &year, &month, &day, &end) == 3 &&
        static_cast<std::size_t>(end) == text.size()) {
        const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                               std::chrono::day(day)};
        if (date.ok()) return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
    }
    fail_wrong_type(required(object, key, place), place.member(key), "a date such as \"2026-11-22\"");
}

std::vector<std::string> texts_at(const Json& object, std::string_view key, const Place& place) {
    std::vector<std::string> texts;
    const Json* list = object.find(key);
    if (!list) return texts;
    const Place at = place.member(key);
    for (std::size_t i = 0; i < as_array(*list, at).items.size(); i++)
        texts.push_back(as_text(list->items[i], at.item(i)));
    return texts;
}

// A number of seconds, to the microsecond.
std::int64_t seconds_at(const Json& object, std::string_view key, const Place& place) {
    const Json& value = required(object, key, place);
    const auto units = as_decimal(value, place.member(key)).units(6);
    if (!units) fail_wrong_type(value, place.member(key), "a number of seconds");
    return *units;
}

std::optional<LocalTime> moment_at(const Json& object, std::string_view key, const Place& place) {
    const Json* moment = object.find(key);
    if (!moment) return std::nullopt;
    const Place at = place.member(key);
    return LocalTime{seconds_at(as_object(*moment, at), "unix", at), seconds_at(*moment, "local", at)};
}

// Sets the bits that a list of numbers names.
template <std::size_t size>
std::bitset<size> set_at(const Json& object, std::string_view key, const Place& place) {
    std::bitset<size> set;
    const Json* list = object.find(key);
    if (!list) return set;
    const Place at = place.member(key);
    for (std::size_t i = 0; i < as_array(*list, at).items.size(); i++) {
        const std::int64_t number = as_integer(list->items[i], at.item(i));
        if (number < 1 || number >= static_cast<std::int64_t>(size))
            fail_wrong_type(list->items[i], at.item(i), "a number from 1 to " + std::to_string(size - 1));
        set.set(static_cast<std::size_t>(number));
    }
    return set;
}

std::optional<Schedule> schedule_at(const Json& object, std::string_view key, const Place& place) {
    const Json* value = object.find(key);
    if (!value) return std::nullopt;
    const Place at = place.member(key);
    const Json& from = as_object(*value, at);
    Schedule schedule;
    schedule.months = set_at<13>(from, "months", at);
    schedule.days_of_month = set_at<32>(from, "days", at);
    schedule.weekdays = set_at<8>(from, "weekdays", at);
    if (from.find("from")) schedule.from_us = seconds_at(from, "from", at);
    if (from.find("to")) schedule.to_us = seconds_at(from, "to", at);
    if (const Json* every = from.find("every")) {
        const Place every_at = at.member("every");
        const std::int64_t count = integer_at(as_object(*every, every_at), "count", every_at);
        if (count < 1 || count > INT32_MAX)
            fail_wrong_type(required(*every, "count", every_at), every_at.member("count"), "a number of 1 or more");
        schedule.every = static_cast<int>(count);
        schedule.every_unit = choice_at(*every, "unit", every_at, period_names);
    }
    return schedule;
}

template <class Item>
auto read_all(const Json& object, std::string_view key, const Place& place, Item (*read)(const Json&, const Place&)) {
    const Place at = place.member(key);
    std::vector<Item> items;
    const Json& array = as_array(required(object, key, place), at);
    for (std::size_t i = 0; i < array.items.size(); i++)
        items.push_back(read(as_object(array.items[i], at.item(i)), at.item(i)));
    return items;
}

TreePointType read_point_type(const Json& object, const Place& place) {
    TreePointType type;
    type.id = text_at(object, "point_type", place);
    type.kind = choice_at(object, "kind", place, point_kind_names);
    type.scale = static_cast<int>(integer_at(object, "scale", place));
    type.ratio = as_decimal(required(object, "ratio", place), place.member("ratio"));
    if (object.find("rounding")) type.rounding = choice_at(object, "rounding", place, rounding_names);
    type.redeem_min = decimal_at(object, "redeem_min", place);
    type.redeem_step = decimal_at(object, "redeem_step", place);
    type.redeem_max_percent = decimal_at(object, "redeem_max_percent", place);
    return type;
}

TreePartner read_partner(const Json& object, const Place& place) {
    TreePartner partner;
    partner.id = text_at(object, "partner", place);
    if (object.find("starts_on")) partner.starts_on = date_at(object, "starts_on", place);
    return partner;
}

TreePartnerProduct read_partner_product(const Json& object, const Place& place) {
    TreePartnerProduct product;
    product.sku = text_at(object, "sku", place);
    product.partner = text_at(object, "partner", place);
    product.discount_percent = decimal_at(object, "discount_percent", place);
    product.points_value = decimal_at(object, "points_value", place);
    if (product.points_value)
        product.points_unit = choice_at(object, "points_unit", place, value_unit_names);
    product.max_payable_points = decimal_at(object, "max_payable_points", place);
    return product;
}

Segment read_segment(const Json& object, const Place& place) {
    Segment segment;
    segment.id = text_at(object, "segment", place);
    if (text_at(object, "kind", place) == "static") return segment;
    segment.predicate = text_at(object, "predicate", place);
    return segment;
}

Segment read_product_segment(const Json& object, const Place& place) {
    Segment segment = read_segment(object, place);
    if (segment.is_static()) return segment;
    segment.predicate_id = static_cast<std::int32_t>(integer_at(object, "predicate_id", place));
    segment.reads_price = flag_at(object, "reads_price", place);
    segment.reads_min_price = flag_at(object, "reads_min_price", place);
    segment.reads_fields = flag_at(object, "reads_fields", place);
    return segment;
}

// A group's `best` and `best_of` are two words of a version, and one thing here.
enum class BestOf { order, line };
constexpr Names<BestOf, 2> best_of_names({{BestOf::order, "order"}, {BestOf::line, "line"}});
constexpr Names<Best, 2> best_names({{Best::combination, "combination"}, {Best::single, "single"}});

Best best_at(const Json& object, const Place& place) {
    if (!object.find("best")) return Best::combination;
    const Best best = choice_at(object, "best", place, best_names);
    const bool by_line = object.find("best_of") && choice_at(object, "best_of", place, best_of_names) == BestOf::line;
    return best == Best::single && by_line ? Best::single_by_line : best;
}

TreeGroup read_group(const Json& object, const Place& place) {
    TreeGroup group;
    group.id = text_at(object, "group", place);
    group.name = text_at(object, "name", place);
    const Json& parent = required(object, "parent", place);
    if (parent.kind != Json::Kind::null) group.parent = as_text(parent, place.member("parent"));
    group.position = integer_at(object, "position", place);
    group.arbitration = choice_at(object, "arbitration", place, arbitration_names);
    group.best = best_at(object, place);
    group.max_discount_percent = decimal_at(object, "max_discount_percent", place);
    group.max_discount_amount = decimal_at(object, "max_discount_amount", place);
    group.min_product_price_percent = decimal_at(object, "min_product_price_percent", place);
    group.min_product_price_amount = decimal_at(object, "min_product_price_amount", place);
    return group;
}

TreeBenefit read_benefit(const Json& object, const Place& place) {
    const std::string benefit = text_at(object, "benefit", place);
    std::string parameters;
    write_json(parameters, as_object(required(object, "parameters", place), place.member("parameters")));
    return {benefit, read_parameters(benefit, parameters)};
}

// At which prices goods come to a minimum.
enum class Prices { base, current };
constexpr Names<Prices, 2> prices_names({{Prices::base, "base"}, {Prices::current, "current"}});

Minimum minimum_at(const Json& object, const Place& place) {
    Minimum minimum;
    minimum.items = decimal_at(object, "min_items", place);
    minimum.total = decimal_at(object, "min_total", place);
    if (object.find("min_total_at"))
        minimum.current = choice_at(object, "min_total_at", place, prices_names) == Prices::current && minimum.total;
    return minimum;
}

TreeCondition read_condition(const Json& object, const Place& place) {
    TreeCondition condition;
    condition.level = choice_at(object, "level", place, level_names);
    condition.mode = choice_at(object, "mode", place, condition_mode_names);
    required(object, "segments", place);
    condition.segments = texts_at(object, "segments", place);
    condition.minimum = minimum_at(object, place);
    condition.untouched = flag_at(object, "untouched", place);
    condition.benefits = read_all(object, "benefits", place, read_benefit);
    return condition;
}

void read_access(TreePromotion& promotion, const Json& object, const Place& place) {
    promotion.audience = choice_at(object, "audience", place, audience_names);
    promotion.audience_segments = texts_at(object, "audience_segments", place);
    promotion.audience_tiers = texts_at(object, "audience_tiers", place);
    if (object.find("order_mode"))
        promotion.order_mode = choice_at(object, "order_mode", place, condition_mode_names);
    promotion.order_segments = texts_at(object, "order_segments", place);
    promotion.minimum = minimum_at(object, place);
    promotion.starts_at = moment_at(object, "starts_at", place);
    promotion.ends_at = moment_at(object, "ends_at", place);
    promotion.schedule = schedule_at(object, "schedule", place);
    if (object.find("promo_code_pool")) promotion.pool = text_at(object, "promo_code_pool", place);
    promotion.channels = texts_at(object, "channels", place);
    promotion.contact_points = texts_at(object, "contact_points", place);
    promotion.regions = texts_at(object, "regions", place);
}

UsageLimits usage_limits_at(const Json& object, const Place& place) {
    const auto count = [&](std::string_view key) {
        return object.find(key) ? std::optional(integer_at(object, key, place)) : std::nullopt;
    };
    return {count("max_uses"), count("max_uses_per_member"), decimal_at(object, "money_budget", place),
            decimal_at(object, "points_budget", place),
            object.find("max_uses_per_member_every") ? text_at(object, "max_uses_per_member_every", place)
                                                     : std::string()};
}

TreePromotion read_promotion(const Json& object, const Place& place) {
    TreePromotion promotion;
    promotion.id = text_at(object, "promotion", place);
    promotion.name = text_at(object, "name", place);
    promotion.parent = text_at(object, "parent", place);
    promotion.position = integer_at(object, "position", place);
    promotion.kind = choice_at(object, "kind", place, promotion_kind_names);
    promotion.state = choice_at(object, "state", place, promotion_state_names);
    read_access(promotion, object, place);
    promotion.usage_limits = usage_limits_at(object, place);
    promotion.benefit_rule = choice_at(object, "benefit_rule", place, benefit_rule_names);
    promotion.conditions = read_all(object, "conditions", place, read_condition);
    return promotion;
}

}  // namespace

Tree read_tree(std::string_view json) {
    const JsonDocument document(json);
    const Place place{"promotion tree", {}};
    const Json& object = as_object(document.root(), place);
    Tree tree;
    tree.program = text_at(object, "program", place);
    tree.currency = text_at(object, "currency", place);
    tree.currency_scale = static_cast<int>(integer_at(object, "currency_scale", place));
    if (object.find("price_scale")) tree.price_scale = static_cast<int>(integer_at(object, "price_scale", place));
    tree.time_zone = text_at(object, "time_zone", place);
    if (object.find("search_limit")) tree.search_limit = integer_at(object, "search_limit", place);
    tree.point_types = read_all(object, "point_types", place, read_point_type);
    tree.segments = read_all(object, "segments", place, read_product_segment);
    tree.order_segments = read_all(object, "order_segments", place, read_segment);
    tree.profile_segments = read_all(object, "profile_segments", place, read_segment);
    tree.partners = read_all(object, "partners", place, read_partner);
    tree.partner_products = read_all(object, "partner_products", place, read_partner_product);
    tree.groups = read_all(object, "groups", place, read_group);
    tree.promotions = read_all(object, "promotions", place, read_promotion);
    return tree;
}

void add_objects(Parameters& parameters, std::string_view benefit, std::string_view key, const Json& list) {
    std::string json;
    write_json(json, list);
    std::vector<Parameters> objects;
    for (const auto& item : list.items) {
        std::string text;
        write_json(text, item);
        objects.push_back(read_parameters(benefit, text));
    }
    parameters.add(std::string(key), std::move(json), std::move(objects));
}

// A list that holds anything but texts, or anything but objects, is of no type that a benefit knows.
void add_list(Parameters& parameters, std::string_view benefit, std::string_view key, const Json& list) {
    const auto is_object = [](const Json& item) { return item.kind == Json::Kind::object; };
    if (!list.items.empty() && std::all_of(list.items.begin(), list.items.end(), is_object))
        return add_objects(parameters, benefit, key, list);
    std::string json;
    write_json(json, list);
    std::vector<std::string> texts;
    for (const auto& item : list.items) {
        if (item.kind != Json::Kind::string) return parameters.add(std::string(key), Parameters::Type::other, json);
        texts.emplace_back(item.text);
    }
    parameters.add(std::string(key), Parameters::Type::texts, json, std::move(texts));
}

Parameters read_parameters(std::string_view benefit, std::string_view json) {
    const JsonDocument document(json);
    Parameters parameters(benefit);
    for (const auto& [key, value] : as_object(document.root(), Place{"benefit", {}}).members) {
        if (value.kind == Json::Kind::number || value.kind == Json::Kind::string) {
            const auto type = value.kind == Json::Kind::number ? Parameters::Type::number : Parameters::Type::text;
            parameters.add(std::string(key), type, std::string(value.text));
            continue;
        }
        if (value.kind == Json::Kind::array) {
            add_list(parameters, benefit, key, value);
            continue;
        }
        std::string text;
        write_json(text, value);
        parameters.add(std::string(key), Parameters::Type::other, text);
    }
    return parameters;
}

}  // namespace loyalty::codec
