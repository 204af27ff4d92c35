// Where a JSON value is written to, member by member: the shell builds a jsonb from it (pg/jsonb.hpp) without a detour
// through text; tests write text.
#pragma once

#include <cstdint>
#include <string_view>

namespace loyalty::codec {

// The texts handed over must live until the value is finished.
class JsonWriter {
public:
    virtual ~JsonWriter() = default;
    virtual void begin_object() = 0;
    virtual void end_object() = 0;
    virtual void begin_array() = 0;
    virtual void end_array() = 0;
    virtual void key(std::string_view key) = 0;
    virtual void text(std::string_view text) = 0;
    // units / 10^scale, with exactly `scale` decimals.
    virtual void number(std::int64_t units, int scale) = 0;
    virtual void boolean(bool truth) = 0;
};

}  // namespace loyalty::codec
