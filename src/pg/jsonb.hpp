// jsonb values and their JSON text, always UTF-8 on the C++ side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json_writer.hpp"

#include "pg/doors.hpp"

namespace loyalty::pg {

// The longest order document that is read, in bytes of its stored form.
inline constexpr std::size_t max_document_bytes = 16 * 1024 * 1024;

// The text lives in the current memory context.
std::string_view jsonb_text(Datum jsonb);
Datum jsonb_from_text(const std::string& json);

// Builds a jsonb. What is written is remembered as plain values, so that the whole of it takes one crossing.
class JsonbWriter final : public codec::JsonWriter {
public:
    void begin_object() override { pieces_.push_back({WJB_BEGIN_OBJECT}); }
    void end_object() override { pieces_.push_back({WJB_END_OBJECT}); }
    void begin_array() override { pieces_.push_back({WJB_BEGIN_ARRAY}); }
    void end_array() override { pieces_.push_back({WJB_END_ARRAY}); }
    void key(std::string_view key) override { pieces_.push_back({WJB_KEY, jbvString, key.data(), key.size()}); }
    void text(std::string_view text) override { pieces_.push_back({WJB_VALUE, jbvString, text.data(), text.size()}); }
    void number(std::int64_t units, int scale) override { pieces_.push_back({WJB_VALUE, jbvNumeric, nullptr, 0, units, scale}); }
    void boolean(bool truth) override { pieces_.push_back({WJB_VALUE, jbvBool, nullptr, 0, truth}); }

    // In the current memory context.
    Datum take();

private:
    struct Piece {
        JsonbIteratorToken token;
        jbvType type = jbvNull;
        const char* text = nullptr;
        std::size_t size = 0;
        std::int64_t units = 0;
        int scale = 0;
    };

    static void push(JsonbParseState** state, const Piece& piece, JsonbValue** result);

    std::vector<Piece> pieces_;
};

}  // namespace loyalty::pg
