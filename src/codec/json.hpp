// JSON as a tree of views: objects, arrays, strings, and numbers *by their exact text* (Boost.JSON's own values would
// pass them through binary floating point). The tree lives in its document, which refuses what is not one sound JSON
// value within bounds: trailing text, duplicate keys, more than 32 levels, keys of more than 256 bytes.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

namespace loyalty::codec {

struct Member;

struct Json {
    enum class Kind : unsigned char { null, boolean, number, string, array, object };

    Kind kind = Kind::null;
    bool truth = false;
    std::string_view text;  // of a number: as written; of a string: unescaped
    std::span<const Json> items;
    std::span<const Member> members;

    const Json* find(std::string_view key) const;
};

struct Member {
    std::string_view key;
    Json value;
};

class JsonDocument {
public:
    static constexpr std::size_t max_depth = 32;
    static constexpr std::size_t max_key_bytes = 256;

    // Parses `text`, which must outlive the document. Errors: LY100 malformed, LY107 duplicate key, LY108 too deep or a
    // key too long.
    explicit JsonDocument(std::string_view text);

    const Json& root() const { return root_; }

private:
    std::pmr::monotonic_buffer_resource memory_{4096};
    Json root_;
};

// Appends `value` as JSON text.
void write_json(std::string& out, const Json& value);
// Appends `text` as a JSON string, quoted and escaped.
void write_string(std::string& out, std::string_view text);

}  // namespace loyalty::codec
