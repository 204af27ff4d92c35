// jsonb values and their JSON text, always UTF-8 on the C++ side.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json_writer.hpp"

#include "pg/server/doors.hpp"
#include "pg/server/jsonb_layout.hpp"

namespace loyalty::pg {

// The longest order document that is read, in bytes of its stored form.
inline constexpr std::size_t max_document_bytes = 16 * 1024 * 1024;

// The text lives in the current memory context.
std::string_view jsonb_text(Datum jsonb);
Datum jsonb_from_text(const std::string& json);

// As it is stored: compressed, if that makes it shorter. The server itself compresses no row of less than 2 kB, and of
// a longer one the longest values only.
Datum compressed(Datum jsonb);
std::int64_t jsonb_hash(Datum jsonb);
Datum without_keys(Datum jsonb, const std::vector<std::string>& keys);

// Builds a jsonb. What is written is remembered as plain values, so that the whole of it takes one crossing.
class JsonbWriter final : public codec::JsonWriter {
public:
    void begin_object() override { begin(WJB_BEGIN_OBJECT); }
    void end_object() override { end(WJB_END_OBJECT); }
    void begin_array() override { begin(WJB_BEGIN_ARRAY); }
    void end_array() override { end(WJB_END_ARRAY); }
    void key(std::string_view key) override { add(WJB_KEY, jbvString, key.size()).text = key.data(); }
    void text(std::string_view text) override { add_value(jbvString, text.size()).text = text.data(); }
    void number(std::int64_t units, int scale) override {
        add_value(jbvNumeric, static_cast<std::size_t>(scale)).units = units;
    }
    void boolean(bool truth) override { add_value(jbvBool).units = truth; }

    // Keeps a text until the value is finished.
    std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

    // In the current memory context, or the one given.
    Datum take(MemoryContext into = CurrentMemoryContext);

private:
    JsonbPiece& add(JsonbIteratorToken token, jbvType type = jbvNull, std::size_t size = 0) {
        JsonbPiece piece{};
        piece.token = static_cast<std::uint8_t>(token);
        piece.type = static_cast<std::uint8_t>(type);
        piece.size = static_cast<std::uint32_t>(size);
        if (pieces_.size() % pieces_between_checks == 0) check();
        return pieces_.emplace_back(piece);
    }

    // What stands in an object or array is counted there.
    JsonbPiece& add_value(jbvType type, std::size_t size = 0) {
        count();
        return add(WJB_VALUE, type, size);
    }

    void begin(JsonbIteratorToken token) {
        count();
        open_.push_back(pieces_.size());
        add(token);
    }

    void end(JsonbIteratorToken token) {
        pieces_[open_.back()].end = pieces_.size();
        open_.pop_back();
        add(token);
    }

    void count() {
        if (!open_.empty()) pieces_[open_.back()].size++;
    }

    // A large answer takes its time, and memory: both are looked after while it is written.
    static constexpr std::size_t pieces_between_checks = 4096;
    static void check();
    // Error LY402 where the finished value would be larger than the server's type jsonb takes, which says so otherwise
    // in words of its own.
    static void require_size(std::size_t size);

    JsonbPieces pieces_;
    std::vector<std::size_t> open_;  // where the objects and arrays begin that are not ended yet
    std::deque<std::string> kept_;
};

}  // namespace loyalty::pg
