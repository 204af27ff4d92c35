// Writes JSON as text, for tests that read what a writer wrote.
#pragma once

#include "codec/json.hpp"
#include "codec/json_writer.hpp"
#include "core/money/decimal.hpp"

#include <string>
#include <utility>

namespace loyalty::codec {

class JsonTextWriter final : public JsonWriter {
public:
    void begin_object() override { open('{'); }
    void end_object() override { close('}'); }
    void begin_array() override { open('['); }
    void end_array() override { close(']'); }

    void key(std::string_view key) override {
        separate();
        write_string(json_, key);
        json_ += ':';
        first_ = true;
    }

    void text(std::string_view text) override {
        separate();
        write_string(json_, text);
    }

    void number(std::int64_t units, int scale) override {
        separate();
        append_decimal(json_, units, scale);
    }

    void boolean(bool truth) override {
        separate();
        json_ += truth ? "true" : "false";
    }

    std::string take() { return std::move(json_); }

private:
    void separate() {
        if (!first_) json_ += ',';
        first_ = false;
    }

    void open(char bracket) {
        separate();
        json_ += bracket;
        first_ = true;
    }

    void close(char bracket) {
        json_ += bracket;
        first_ = false;
    }

    std::string json_;
    bool first_ = true;  // in its array or object
};

}  // namespace loyalty::codec
