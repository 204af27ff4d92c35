// The parameters of a benefit as plain values, and the checks that give each mistake its message (LY301). A benefit
// asks for what it knows; finish() refuses what nobody asked for.
#pragma once

#include "core/money/amount.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty {

class Parameters {
public:
    enum class Type { number, text, texts, objects, other };
    struct Entry {
        std::string name;
        Type type;
        std::string value;               // a number's or a text's own text; JSON text of anything else
        std::vector<std::string> texts;  // of a list of texts
        bool asked = false;
        std::vector<Parameters> objects{};  // of a list of objects
    };

    explicit Parameters(std::string_view benefit) : benefit_(benefit) {}
    void add(std::string name, Type type, std::string value, std::vector<std::string> texts = {});

    void add(std::string name, std::string value, std::vector<Parameters> objects);

    bool has(std::string_view name) const;
    // A percentage from 0 (exclusive) to `most`, with at most 6 decimals.
    std::optional<Fraction> percent(std::string_view name, int most = 100);
    // The same, 0 included.
    std::optional<Fraction> share(std::string_view name);
    // A positive amount with at most `scale` decimals.
    std::optional<std::int64_t> amount(std::string_view name, int scale);
    // A positive whole number.
    std::optional<std::int64_t> count(std::string_view name);
    std::optional<std::string> text(std::string_view name);
    // A list of texts that are not empty, each once; at least one.
    std::optional<std::vector<std::string>> texts(std::string_view name);
    // A list of objects; none where it is not given.
    std::vector<Parameters> objects(std::string_view name);
    // A number above 0 and at most a million, with at most 6 decimals.
    std::optional<Fraction> factor(std::string_view name);
    // Whether it is true; false where it is left out.
    bool flag(std::string_view name);
    // A value as it was given.
    std::optional<std::string> shown(std::string_view name) const;
    // One of `choices`, the first of which is the default; returns its number.
    std::size_t choice(std::string_view name, std::initializer_list<std::string_view> choices);
    // A step of a benefit: the parameters that are said of all steps, with its own.
    struct Step;
    // From "steps": rising, each with one and the same of "percent", "amount", "price" and "points".
    std::vector<Step> steps();
    // Exactly one of `names` must be given.
    void exactly_one(std::initializer_list<std::string_view> names) const;
    // Refuses `name` where `why` it has no meaning.
    void refuse(std::string_view name, std::string_view why) const;
    void require(std::string_view name) const;
    // Refuses every parameter that was not asked for.
    void finish() const;

    [[noreturn]] void fail(std::string_view name, const std::string& value, const std::string& expected) const;

private:
    Entry* find(std::string_view name);
    const Entry* find(std::string_view name) const;
    Decimal number(const Entry& entry) const;

    Step step(const Parameters& own, const std::string& all) const;

    std::string benefit_;
    std::vector<Entry> entries_;
};

struct Parameters::Step {
    Decimal from;
    Parameters parameters;
};

}  // namespace loyalty
