#include "core/document/comparison.hpp"

#include <algorithm>
#include <utility>

namespace loyalty {

namespace {

using Operator = Comparison::Operator;

constexpr std::pair<std::string_view, Operator> operators[] = {{"==", Operator::equal},
                                                               {"<=", Operator::at_most},
                                                               {">=", Operator::at_least},
                                                               {"<", Operator::less},
                                                               {">", Operator::greater}};

// The place of the first `what` outside of parentheses and strings, or nowhere.
std::size_t find_outside(std::string_view text, std::string_view what) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
            continue;
        }
        if (depth == 0 && text.substr(i).starts_with(what)) return i;
        if (text[i] == '"') in_string = true;
        if (text[i] == '(') depth++;
        if (text[i] == ')') depth--;
    }
    return std::string_view::npos;
}

// Whether parentheses go around all of the text.
bool is_enclosed(std::string_view text) {
    return text.starts_with('(') && text.ends_with(')') && find_outside(text.substr(1), ")") == text.size() - 2;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// $."total" >= 100
std::optional<Comparison> read_comparison(std::string_view text) {
    if (!take(text, "$")) return std::nullopt;
    Comparison comparison;
    while (take(text, ".\"")) {
        const std::size_t end = text.find('"');
        if (end == std::string_view::npos) return std::nullopt;
        comparison.path.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    if (comparison.path.empty() || !take(text, " ")) return std::nullopt;
    // What goods of product segments come to stands apart from the order's own segments (sql/41-segments.sql).
    if (comparison.path.front() == "by_segment") comparison.path.front() = "segments";
    for (const auto& [sign, op] : operators) {
        if (!take(text, sign)) continue;
        if (!take(text, " ")) return std::nullopt;
        const auto threshold = Decimal::parse(text);
        if (!threshold) return std::nullopt;
        comparison.op = op;
        comparison.threshold = *threshold;
        return comparison;
    }
    return std::nullopt;
}

void collect(std::string_view predicate, std::vector<Comparison>& found) {
    while (is_enclosed(predicate)) predicate = predicate.substr(1, predicate.size() - 2);
    // Of a choice nobody knows which part was meant; && binds closer than ||.
    if (find_outside(predicate, " || ") != std::string_view::npos) return;
    constexpr std::string_view both = " && ";
    if (const std::size_t place = find_outside(predicate, both); place != std::string_view::npos) {
        collect(predicate.substr(0, place), found);
        collect(predicate.substr(place + both.size()), found);
        return;
    }
    // Membership in another segment was replaced by its predicate.
    constexpr std::string_view membership = "exists ($?";
    if (predicate.starts_with(membership) && is_enclosed(predicate.substr(membership.size() - 3))) {
        collect(predicate.substr(membership.size(), predicate.size() - membership.size() - 1), found);
        return;
    }
    if (auto comparison = read_comparison(predicate)) found.push_back(std::move(*comparison));
}

}  // namespace

bool Comparison::holds(const Decimal& value) const {
    switch (op) {
        case Operator::equal:
            return value == threshold;
        case Operator::less:
            return value < threshold;
        case Operator::at_most:
            return value <= threshold;
        case Operator::greater:
            return value > threshold;
        case Operator::at_least:
            return value >= threshold;
    }
    return false;
}

std::string Comparison::describe_path() const {
    std::string text;
    for (const auto& name : path) text += (text.empty() ? "" : ".") + name;
    return text;
}

std::string Comparison::describe() const {
    for (const auto& [sign, meaning] : operators) {
        if (meaning == op) return std::string(sign) + " " + threshold.to_string();
    }
    return "";
}

std::string Comparison::describe_miss(const Decimal& value, int decimals) const {
    const int scale = std::max({value.scale(), threshold.scale(), decimals});
    const auto has = value.units(scale), needs = threshold.units(scale);
    if (!has || !needs) return "";
    const std::int64_t missing = *needs - *has;
    std::string text = op == Operator::less || op == Operator::greater ? "over " : "";
    append_decimal(text, missing < 0 ? -missing : missing, scale);
    return text + (missing > 0 || (missing == 0 && op == Operator::greater) ? " more" : " less");
}

std::vector<Comparison> comparisons_in(std::string_view predicate) {
    std::vector<Comparison> found;
    collect(predicate, found);
    return found;
}

}  // namespace loyalty
