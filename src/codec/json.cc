#include "codec/json.hpp"

#include "core/error.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serializer.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace loyalty::codec {

namespace {

namespace bj = boost::json;

// Receives the parser's events and builds the tree. Finished values wait on a stack until their array or object ends.
class Builder {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = JsonDocument::max_key_bytes;
    static constexpr std::size_t max_string_size = std::size_t(-1);

    Builder(std::string_view source, std::pmr::memory_resource& memory) : source_(source), memory_(memory) {}

    Json take() { return values_.empty() ? Json{} : values_.back(); }
    const std::string& duplicate() const { return duplicate_; }

    bool on_document_begin(boost::system::error_code&) { return true; }
    bool on_document_end(boost::system::error_code&) { return true; }
    bool on_array_begin(boost::system::error_code&) { return begin(); }
    bool on_object_begin(boost::system::error_code&) { return begin(); }

    bool on_array_end(std::size_t count, boost::system::error_code&) {
        Json array;
        array.kind = Json::Kind::array;
        array.items = move_up(values_, starts_.back().values, count);
        return end(array);
    }

    bool on_object_end(std::size_t count, boost::system::error_code& error) {
        const auto values = values_.begin() + static_cast<std::ptrdiff_t>(starts_.back().values);
        const auto keys = keys_.begin() + static_cast<std::ptrdiff_t>(starts_.back().keys);
        auto* members = static_cast<Member*>(memory_.allocate(count * sizeof(Member) + 1, alignof(Member)));
        for (std::size_t i = 0; i < count; i++) {
            new (members + i) Member{keys[static_cast<std::ptrdiff_t>(i)], values[static_cast<std::ptrdiff_t>(i)]};
        }
        Json object;
        object.kind = Json::Kind::object;
        object.members = {members, count};
        if (find_duplicate(object)) {
            error = bj::make_error_code(bj::error::object_too_large);
            return false;
        }
        values_.resize(starts_.back().values);
        keys_.resize(starts_.back().keys);
        return end(object);
    }

    bool on_key_part(bj::string_view part, std::size_t, boost::system::error_code&) { return gather(part); }
    bool on_key(bj::string_view last, std::size_t, boost::system::error_code&) {
        keys_.push_back(finish(last));
        return true;
    }
    bool on_string_part(bj::string_view part, std::size_t, boost::system::error_code&) { return gather(part); }
    bool on_string(bj::string_view last, std::size_t, boost::system::error_code&) {
        return text(Json::Kind::string, last);
    }
    bool on_number_part(bj::string_view part, boost::system::error_code&) { return gather(part); }
    bool on_int64(std::int64_t, bj::string_view last, boost::system::error_code&) {
        return text(Json::Kind::number, last);
    }
    bool on_uint64(std::uint64_t, bj::string_view last, boost::system::error_code&) {
        return text(Json::Kind::number, last);
    }
    bool on_double(double, bj::string_view last, boost::system::error_code&) { return text(Json::Kind::number, last); }
    bool on_bool(bool truth, boost::system::error_code&) {
        Json value;
        value.kind = Json::Kind::boolean;
        value.truth = truth;
        return push(value);
    }
    bool on_null(boost::system::error_code&) { return push(Json{}); }
    bool on_comment_part(bj::string_view, boost::system::error_code&) { return true; }
    bool on_comment(bj::string_view, boost::system::error_code&) { return true; }

private:
    // Where the values and keys of an unfinished array or object begin.
    struct Start {
        std::size_t values;
        std::size_t keys;
    };

    bool begin() {
        starts_.push_back({values_.size(), keys_.size()});
        return true;
    }

    bool end(const Json& value) {
        starts_.pop_back();
        return push(value);
    }

    bool push(const Json& value) {
        values_.push_back(value);
        return true;
    }

    std::span<const Json> move_up(std::vector<Json>& from, std::size_t start, std::size_t count) {
        auto* items = static_cast<Json*>(memory_.allocate(count * sizeof(Json) + 1, alignof(Json)));
        std::copy(from.begin() + static_cast<std::ptrdiff_t>(start), from.end(), items);
        from.resize(start);
        return {items, count};
    }

    bool gather(bj::string_view part) {
        parts_.append(part.data(), part.size());
        return true;
    }

    bool text(Json::Kind kind, bj::string_view last) {
        Json value;
        value.kind = kind;
        value.text = finish(last);
        return push(value);
    }

    // The whole text whose last part this is: a view of the source where it stands there as it is, else a copy.
    std::string_view finish(bj::string_view last) {
        const std::less_equal<const char*> not_after;
        const bool in_source = not_after(source_.data(), last.data()) &&
                               not_after(last.data() + last.size(), source_.data() + source_.size());
        if (parts_.empty() && in_source) return {last.data(), last.size()};
        gather(last);
        auto* copy = static_cast<char*>(memory_.allocate(parts_.size() + 1, 1));
        std::memcpy(copy, parts_.data(), parts_.size());
        const std::string_view whole{copy, parts_.size()};
        parts_.clear();
        return whole;
    }

    bool find_duplicate(const Json& object) {
        std::vector<std::string_view> keys;
        keys.reserve(object.members.size());
        for (const auto& member : object.members) keys.push_back(member.key);
        std::sort(keys.begin(), keys.end());
        const auto twice = std::adjacent_find(keys.begin(), keys.end());
        if (twice == keys.end()) return false;
        duplicate_ = *twice;
        return true;
    }

    std::string_view source_;
    std::pmr::memory_resource& memory_;
    std::vector<Json> values_;
    std::vector<std::string_view> keys_;
    std::vector<Start> starts_;
    std::string parts_;
    std::string duplicate_;
};

[[noreturn]] void refuse(const Builder& builder, const boost::system::error_code& error, std::size_t offset) {
    const std::string where = "At byte " + std::to_string(offset + 1) + ".";
    if (!builder.duplicate().empty()) {
        throw Error(sqlstate::duplicate_key,
                    "invalid JSON: an object has the key \"" + builder.duplicate() + "\" twice", where,
                    "Give each key once.");
    }
    if (error == bj::error::too_deep) {
        throw Error(sqlstate::document_too_large, "invalid JSON: the document is nested too deeply", where,
                    "At most " + std::to_string(JsonDocument::max_depth) + " levels are read.");
    }
    if (error == bj::error::key_too_large) {
        throw Error(sqlstate::document_too_large, "invalid JSON: a key is too long", where,
                    "Keys have at most " + std::to_string(JsonDocument::max_key_bytes) + " bytes.");
    }
    throw Error(sqlstate::malformed_json, "invalid JSON: " + error.message(), where,
                "Give one JSON value and nothing behind it.");
}

}  // namespace

const Json* Json::find(std::string_view key) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.key == key; });
    return found == members.end() ? nullptr : &found->value;
}

JsonDocument::JsonDocument(std::string_view text) {
    bj::parse_options options;
    options.max_depth = max_depth;
    bj::basic_parser<Builder> parser(options, text, memory_);
    boost::system::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    // What stands behind the value is no part of it.
    if (!error && used != text.size()) error = bj::make_error_code(bj::error::extra_data);
    if (error) refuse(parser.handler(), error, used);
    root_ = parser.handler().take();
}

void write_string(std::string& out, std::string_view text) {
    const auto plain = [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
    };
    if (std::all_of(text.begin(), text.end(), plain)) {
        out.append("\"").append(text).append("\"");
        return;
    }
    bj::serializer serializer;
    serializer.reset(bj::string_view(text.data(), text.size()));
    char buffer[256];
    while (!serializer.done()) {
        const auto written = serializer.read(buffer, sizeof buffer);
        out.append(written.data(), written.size());
    }
}

void write_json(std::string& out, const Json& value) {
    const char* separator = "";
    switch (value.kind) {
        case Json::Kind::null:
            out += "null";
            break;
        case Json::Kind::boolean:
            out += value.truth ? "true" : "false";
            break;
        case Json::Kind::number:
            out += value.text;
            break;
        case Json::Kind::string:
            write_string(out, value.text);
            break;
        case Json::Kind::array:
            out += '[';
            for (const auto& item : value.items) {
                out += separator;
                write_json(out, item);
                separator = ",";
            }
            out += ']';
            break;
        case Json::Kind::object:
            out += '{';
            for (const auto& [key, member] : value.members) {
                out += separator;
                write_string(out, key);
                out += ':';
                write_json(out, member);
                separator = ",";
            }
            out += '}';
            break;
    }
}

}  // namespace loyalty::codec
