#include "core/program/parameters.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace loyalty {

void Parameters::add(std::string name, Type type, std::string value, std::vector<std::string> texts) {
    entries_.push_back({std::move(name), type, std::move(value), std::move(texts)});
}

void Parameters::add(std::string name, std::string value, std::vector<Parameters> objects) {
    entries_.push_back({std::move(name), Type::objects, std::move(value), {}, false, std::move(objects)});
}

Parameters::Step Parameters::step(const Parameters& own, const std::string& all) const {
    Step step{{}, Parameters(benefit_)};
    for (const auto& entry : entries_) {
        const bool is_of_steps =
            entry.name == "steps" || entry.name == "by" || entry.name == "at" || entry.name == "marginal";
        if (!is_of_steps) step.parameters.entries_.push_back(entry);
    }
    const Entry* from = own.find("from");
    if (!from) fail("steps", all, "that each step says from how much on it applies: \"from\"");
    step.from = own.number(*from);
    if (step.from.is_negative() || step.from.scale() > 6 || !step.from.units(6))
        fail("steps", all, "\"from\" of 0 or more, with at most 6 decimals");
    for (const auto& entry : own.entries_) {
        if (entry.name == "from") continue;
        const bool is_value =
            entry.name == "percent" || entry.name == "amount" || entry.name == "price" || entry.name == "points";
        if (!is_value || has(entry.name)) {
            fail("steps", all,
                 "steps that have \"from\" and one of \"percent\", \"amount\", \"price\" and \"points\", and nothing "
                 "else");
        }
        step.parameters.entries_.push_back(entry);
    }
    return step;
}

std::vector<Parameters::Step> Parameters::steps() {
    constexpr std::size_t most = 100;
    const Entry* entry = find("steps");
    if (entry->type != Type::objects || entry->objects.size() > most)
        fail("steps", entry->value, "a list of 1 to 100 objects such as {\"from\": 50, \"percent\": 5}");
    std::vector<Step> steps;
    for (const auto& object : entry->objects) {
        Step next = step(object, entry->value);
        if (!steps.empty()) {
            if (next.from <= steps.back().from) fail("steps", entry->value, "steps that rise by \"from\"");
            const bool same = std::all_of(object.entries_.begin(), object.entries_.end(), [&](const Entry& own) {
                return own.name == "from" || steps.back().parameters.has(own.name);
            });
            if (!same)
                fail("steps", entry->value,
                     "steps of one kind: all of \"percent\", \"amount\", \"price\" or \"points\"");
        }
        steps.push_back(std::move(next));
    }
    return steps;
}

bool Parameters::has(std::string_view name) const { return find(name) != nullptr; }

std::optional<Fraction> Parameters::percent(std::string_view name, int most) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    const Decimal value = number(*entry);
    if (value.is_negative() || value.is_zero() || value > Decimal(most) || value.scale() > 6) {
        fail(name, entry->value,
             "a percentage above 0 and at most " + std::to_string(most) + ", with at most 6 decimals");
    }
    return Fraction::percent(value);
}

std::optional<Fraction> Parameters::share(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    const Decimal value = number(*entry);
    if (value.is_negative() || value > Decimal(100) || value.scale() > 6)
        fail(name, entry->value, "a percentage from 0 to 100, with at most 6 decimals");
    return Fraction::percent(value);
}

std::optional<std::int64_t> Parameters::amount(std::string_view name, int scale) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    const Decimal value = number(*entry);
    const auto units = value.units(scale);
    if (!units || *units <= 0) {
        fail(name, entry->value, "a positive number with at most " + std::to_string(scale) + " decimals");
    }
    return units;
}

std::optional<std::int64_t> Parameters::count(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    const auto units = number(*entry).units(0);
    if (!units || *units <= 0 || *units > 1'000'000'000)
        fail(name, entry->value, "a whole number from 1 to 1000000000");
    return units;
}

std::optional<std::string> Parameters::text(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    if (entry->type != Type::text || entry->value.empty()) fail(name, entry->value, "a text that is not empty");
    return entry->value;
}

std::optional<std::vector<std::string>> Parameters::texts(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    std::vector<std::string> sorted = entry->texts;
    std::sort(sorted.begin(), sorted.end());
    const bool unique = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    if (entry->type != Type::texts || sorted.empty() || sorted.front().empty() || !unique)
        fail(name, entry->value, "a list of texts that are not empty, each once");
    return entry->texts;
}

std::vector<Parameters> Parameters::objects(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return {};
    if (entry->type != Type::objects) fail(name, entry->value, "a list of objects");
    return entry->objects;
}

std::optional<Fraction> Parameters::factor(std::string_view name) {
    constexpr std::int64_t most = 1'000'000;
    const Entry* entry = find(name);
    if (!entry) return std::nullopt;
    const Decimal value = number(*entry);
    if (value.is_negative() || value.is_zero() || value > Decimal(most) || value.scale() > 6)
        fail(name, entry->value, "a number above 0 and at most " + std::to_string(most) + ", with at most 6 decimals");
    return Fraction::of(value);
}

bool Parameters::flag(std::string_view name) {
    const Entry* entry = find(name);
    if (!entry) return false;
    if (entry->type != Type::other || (entry->value != "true" && entry->value != "false"))
        fail(name, entry->value, "true or false");
    return entry->value == "true";
}

std::optional<std::string> Parameters::shown(std::string_view name) const {
    const Entry* entry = find(name);
    return entry ? std::optional(entry->value) : std::nullopt;
}

std::size_t Parameters::choice(std::string_view name, std::initializer_list<std::string_view> choices) {
    const Entry* entry = find(name);
    if (!entry) return 0;
    const auto found = std::find(choices.begin(), choices.end(), entry->value);
    if (entry->type != Type::text || found == choices.end()) {
        std::string expected = "one of";
        for (const auto choice : choices) expected.append(" \"").append(choice).append("\"");
        fail(name, entry->value, expected);
    }
    return static_cast<std::size_t>(found - choices.begin());
}

void Parameters::exactly_one(std::initializer_list<std::string_view> names) const {
    const auto given = std::count_if(names.begin(), names.end(), [this](auto name) { return has(name); });
    if (given == 1) return;
    std::string list;
    for (const auto name : names) list.append(list.empty() ? "\"" : ", \"").append(name).append("\"");
    throw Error(sqlstate::invalid_benefit, "benefit \"" + benefit_ + "\" needs exactly one of the parameters " + list,
                std::to_string(given) + " of them are given.", "See the table of benefits in the reference.");
}

void Parameters::refuse(std::string_view name, std::string_view why) const {
    if (has(name)) {
        throw Error(sqlstate::invalid_benefit,
                    "parameter \"" + std::string(name) + "\" of benefit \"" + benefit_ + "\" has no meaning here",
                    std::string(why), "Leave the parameter out.");
    }
}

void Parameters::require(std::string_view name) const {
    if (!has(name)) {
        throw Error(sqlstate::invalid_benefit,
                    "benefit \"" + benefit_ + "\" needs the parameter \"" + std::string(name) + "\"", {},
                    "See the table of benefits in the reference.");
    }
}

void Parameters::finish() const {
    for (const auto& entry : entries_) {
        if (!entry.asked) {
            throw Error(sqlstate::invalid_benefit,
                        "benefit \"" + benefit_ + "\" has no parameter \"" + entry.name + "\"",
                        "The value given is " + entry.value + ".", "See the table of benefits in the reference.");
        }
    }
}

void Parameters::fail(std::string_view name, const std::string& value, const std::string& expected) const {
    throw Error(sqlstate::invalid_benefit,
                "invalid value for parameter \"" + std::string(name) + "\" of benefit \"" + benefit_ + "\": " + value,
                {}, "Expected is " + expected + ".");
}

Parameters::Entry* Parameters::find(std::string_view name) {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
    if (found == entries_.end()) return nullptr;
    found->asked = true;
    return &*found;
}

const Parameters::Entry* Parameters::find(std::string_view name) const {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

Decimal Parameters::number(const Entry& entry) const {
    const auto value = entry.type == Type::number ? Decimal::parse(entry.value) : std::nullopt;
    if (!value) fail(entry.name, entry.value, "a number");
    return *value;
}

}  // namespace loyalty
