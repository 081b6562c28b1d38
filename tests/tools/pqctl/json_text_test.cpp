#include "tools/pqctl/json_text.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "tools/pqctl/base64.h"
#include "tools/pqctl/raw_json.h"

namespace pqd::ctl {
namespace {

TEST(JsonText, PrintsNumbersAsPeopleWriteThem) {
  EXPECT_EQ(json_text({{"a", 150.0}, {"b", 0.02}, {"c", 7}}, JsonStyle::kCompact),
            R"({"a":150,"b":0.02,"c":7})");
}

TEST(JsonText, IndentsWhenAskedAndKeepsTheOrderOfKeys) {
  EXPECT_EQ(json_text({{"b", {1, 2}}, {"a", boost::json::object()}}, JsonStyle::kIndented),
            "{\n  \"b\": [\n    1,\n    2\n  ],\n  \"a\": {}\n}");
}

TEST(JsonText, ReadsBackWhatItPrinted) {
  const auto value = parse_json(R"({"text":"a\"\\\u0001\u00fc","deep":[[[{"x":null}]]],"n":-12.5e-3})");
  ASSERT_TRUE(value);
  EXPECT_EQ(parse_json(json_text(*value, JsonStyle::kIndented)), *value);
}

TEST(JsonText, EscapesWhatWouldSteerATerminalAndReadsItBack) {
  const std::string loaded = "\033[1m\x7F\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0\u200E\u202E\u2069\uFEFF";
  const boost::json::value value{{loaded, {"gr\u00FC\u00DFe \U0001F642", loaded}}};
  const std::string text = json_text(value, JsonStyle::kCompact);
  const std::string escaped = "\"\\u001b[1m\\u007f\\u0080\\u009b\\u009f\u00A0\\u200e\\u202e\\u2069\\ufeff\"";
  EXPECT_EQ(text, "{" + escaped + ":[\"gr\u00FC\u00DFe \U0001F642\"," + escaped + "]}");
  EXPECT_EQ(parse_json(text), value);
}

TEST(JsonText, IsValidWhateverBytesItIsGiven) {
  EXPECT_EQ(json_text("a\x9B\xFF", JsonStyle::kCompact), R"("a\ufffd\ufffd")");
}

TEST(JsonText, RefusesWhatIsNoJsonAndWhatIsTooDeep) {
  EXPECT_FALSE(parse_json("{"));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("{} x"));
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
}

TEST(RawJson, FindsAMembersOwnText) {
  const std::string line =
      R"( { "type" : "payload", "n":{"payload":1}, "payload" : { "a" : 1.10 , "b" : "x, }" } , "z":[ ] })";
  EXPECT_EQ(raw_member(line, "payload"), R"({"a":1.10,"b":"x, }"})");
  EXPECT_EQ(raw_member(line, "z"), "[]");
  EXPECT_EQ(raw_member(line, "none"), "");
}

TEST(RawJson, TakesTheLastOfTwoAndReadsEscapedKeys) {
  EXPECT_EQ(raw_member(R"({"payload":1,"payload":2})", "payload"), "2");
  EXPECT_EQ(raw_member(R"({"payl\u006fad":12345678901234567890123})", "payload"), "12345678901234567890123");
}

TEST(Base64, GoesThereAndBack) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xFF\xFE\x00z"}) {
    EXPECT_EQ(from_base64(base64(as_bytes(text))), text);
  }
  EXPECT_EQ(base64(as_bytes("fooba")), "Zm9vYmE=");
  for (const char* text : {"Zg", "Zg=", "Z===", "Zg==Zg==", "Z g=", "====", "Zm9v\n"})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace pqd::ctl
