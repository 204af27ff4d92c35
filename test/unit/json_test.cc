#include "codec/json.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty::codec {
namespace {

using build::error_of;

std::string written(std::string_view text) {
    const JsonDocument document(text);
    std::string out;
    write_json(out, document.root());
    return out;
}

std::string refusal(std::string_view text) {
    return error_of([&] { JsonDocument document(text); }).sqlstate();
}

TEST(Json, KeepsTheTextOfNumbers) {
    for (const char* number :
         {"0", "-0", "0.10", "1.10e5", "1E-3", "123456789012345678901234567890.123456789012345678901234567890", "1e400",
          "18446744073709551616"}) {
        EXPECT_EQ(written(number), number);
        EXPECT_EQ(written("[" + std::string(number) + "]"), "[" + std::string(number) + "]");
    }
    // Longer than any internal buffer.
    const std::string digits(100'000, '7');
    EXPECT_EQ(written("{\"a\":" + digits + "}"), "{\"a\":" + digits + "}");
}

TEST(Json, ReadsAllKinds) {
    const JsonDocument document(
        R"( {"n": null, "t": true, "f": false, "s": "text", "a": [1, [], {}], "o": {"x": 1}} )");
    const Json& root = document.root();
    EXPECT_EQ(root.kind, Json::Kind::object);
    EXPECT_EQ(root.members.size(), 6u);
    EXPECT_EQ(root.find("n")->kind, Json::Kind::null);
    EXPECT_TRUE(root.find("t")->truth);
    EXPECT_FALSE(root.find("f")->truth);
    EXPECT_EQ(root.find("s")->text, "text");
    EXPECT_EQ(root.find("a")->items.size(), 3u);
    EXPECT_EQ(root.find("a")->items[1].kind, Json::Kind::array);
    EXPECT_EQ(root.find("o")->find("x")->text, "1");
    EXPECT_EQ(root.find("missing"), nullptr);
    EXPECT_EQ(root.find("N"), nullptr);
}

TEST(Json, Unescapes) {
    const JsonDocument document(R"(["a\"b\\c\/d\n\t", "\u0416\ud83d\ude00", "Жук 😀", "", "\u0000x"])");
    const auto items = document.root().items;
    EXPECT_EQ(items[0].text, "a\"b\\c/d\n\t");
    EXPECT_EQ(items[1].text, "Ж😀");
    EXPECT_EQ(items[2].text, "Жук 😀");
    EXPECT_EQ(items[3].text, "");
    EXPECT_EQ(items[4].text, std::string_view("\0x", 2));
    // An escape after a long plain beginning, so that the text comes in parts.
    const std::string plain(10'000, 'a');
    const std::string text = "\"" + plain + "\\n" + plain + "\"";
    EXPECT_EQ(JsonDocument(text).root().text, plain + "\n" + plain);
}

TEST(Json, WritesStringsEscaped) {
    std::string out;
    write_string(out, std::string_view("a\"b\\\n\x01Ж\0", 9));
    EXPECT_EQ(out, "\"a\\\"b\\\\\\n\\u0001Ж\\u0000\"");
    out.clear();
    write_string(out, "");
    EXPECT_EQ(out, "\"\"");
    out.clear();
    write_string(out, std::string(1000, '"'));
    EXPECT_EQ(out.size(), 2002u);
}

TEST(Json, RefusesWhatIsNoJson) {
    for (const char* text :
         {"",           " ",        "{",   "[1,",     "{\"a\" 1}", "{\"a\":}",    "{a:1}",  "[1,]",
          "{\"a\":1,}", "'a'",      "01",  "+1",      ".5",        "1.",          "1e",     "nul",
          "NaN",        "Infinity", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\"", "\"\n\"", "/* c */ 1",
          "// c\n1",    "[1 2]",    "tru", "-"}) {
        EXPECT_EQ(refusal(text), "LY100") << text;
    }
}

TEST(Json, RefusesTrailingText) {
    EXPECT_EQ(refusal("{} "), "");
    EXPECT_EQ(refusal("\t[1]\n"), "");
    for (const char* text : {"{}x", "{} {}", "1 2", "[] ,", "\"a\"\"b\"", "{}\v"})
        EXPECT_EQ(refusal(text), "LY100") << text;
    EXPECT_EQ(refusal(std::string_view("{}\0", 3)), "LY100");
}

TEST(Json, RefusesInvalidUtf8AndZeroBytes) {
    for (const char* text :
         {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "{\"\xff\":1}"})
        EXPECT_EQ(refusal(text), "LY100") << text;
    EXPECT_EQ(refusal(std::string_view("\"a\0b\"", 5)), "LY100");
    EXPECT_EQ(refusal(std::string_view("[1\0]", 4)), "LY100");
    EXPECT_EQ(refusal(std::string_view("\0", 1)), "LY100");
}

TEST(Json, RefusesDuplicateKeysAtAnyDepth) {
    EXPECT_EQ(refusal(R"({"a":1,"b":2,"a":1})"), "LY107");
    EXPECT_EQ(refusal(R"([{"x":{"a":1,"\u0061":2}}])"), "LY107");
    EXPECT_EQ(refusal(R"({"a":{"a":{"a":1}},"b":{"a":1}})"), "");
    EXPECT_NE(error_of([] { JsonDocument document(R"({"key":1,"key":1})"); }).message().find("\"key\""),
              std::string::npos);
}

std::string nested(int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

TEST(Json, LimitsDepthAndKeys) {
    EXPECT_EQ(refusal(nested(32)), "");
    EXPECT_EQ(refusal(nested(33)), "LY108");
    EXPECT_EQ(refusal(nested(100'000)), "LY108");
    EXPECT_EQ(refusal(std::string(100'000, '[')), "LY108");
    EXPECT_EQ(refusal("{\"" + std::string(256, 'k') + "\":1}"), "");
    EXPECT_EQ(refusal("{\"" + std::string(257, 'k') + "\":1}"), "LY108");
    EXPECT_EQ(refusal("{\"" + std::string(1'000'000, 'k') + "\":1}"), "LY108");
    // Bytes, not characters: 128 of them have two.
    std::string key;
    for (int i = 0; i < 128; ++i) key += "Ж";
    EXPECT_EQ(refusal("{\"" + key + "\":1}"), "");
    EXPECT_EQ(refusal("{\"" + key + "k\":1}"), "LY108");
}

// Empty objects and arrays inside each other share no memory by mistake, and views of them outlive the parser.
TEST(Json, KeepsManyValues) {
    std::string text = "[";
    for (int i = 0; i < 5'000; ++i)
        text += (i ? "," : "") + std::string("{\"id\":\"") + std::to_string(i) + "\\n\",\"e\":[],\"o\":{}}";
    text += "]";
    const JsonDocument document(text);
    ASSERT_EQ(document.root().items.size(), 5'000u);
    for (std::size_t i = 0; i < 5'000; ++i)
        ASSERT_EQ(document.root().items[i].find("id")->text, std::to_string(i) + "\n");
}

}  // namespace
}  // namespace loyalty::codec
