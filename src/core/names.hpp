// The texts that stand for an enumeration's values, in documents and in what people read: one list, for writing and for
// reading.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace loyalty {

// Of the first `size` values. Does not compile where one is left out or stands in another place than in the
// enumeration. Example: inline constexpr Names<Level, 2> level_names({{Level::product, "product"}, {Level::order,
// "order"}});
template <class Enum, std::size_t size>
class Names {
public:
    struct Name {
        Enum value;
        std::string_view text;
    };

    consteval explicit Names(const Name (&names)[size]) {
        for (std::size_t i = 0; i < size; i++) {
            if (static_cast<std::size_t>(names[i].value) != i) throw "a value is left out, or stands in another place";
            texts_[i] = names[i].text;
        }
    }

    constexpr std::string_view operator[](Enum value) const { return texts_[static_cast<std::size_t>(value)]; }

    constexpr std::optional<Enum> find(std::string_view text) const {
        const auto found = std::find(texts_.begin(), texts_.end(), text);
        if (found == texts_.end()) return std::nullopt;
        return static_cast<Enum>(found - texts_.begin());
    }

    constexpr auto begin() const { return texts_.begin(); }
    constexpr auto end() const { return texts_.end(); }

private:
    std::array<std::string_view, size> texts_{};
};

}  // namespace loyalty
