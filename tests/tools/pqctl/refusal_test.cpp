// What a refused submit is told at the terminal.
#include <gtest/gtest.h>

#include "core/error.h"
#include "tools/pqctl/submit_fields.h"

namespace pqd::ctl {
namespace {

TEST(Refusal, ForWantOfARoleNamesTheQueueTheRoleAndWhereItIsGiven) {
  const Complaint told =
      refusal_of({Error::kUnauthorized, std::string(error_text(Error::kUnauthorized)), 0}, "mail");
  EXPECT_EQ(told.exit, 77);
  for (const char* part : {"\"mail\"", "`producer`", "`act_for`", "[access]"})
    EXPECT_NE(told.text.find(part), std::string::npos) << part << " in\n" << told.text;
}

TEST(Refusal, AtTheDoorKeepsTheDaemonsWords) {
  const Complaint told = refusal_of({Error::kUnauthorized, "uid 5 may not use this pqd", 0}, "mail");
  EXPECT_NE(told.text.find("uid 5 may not use this pqd"), std::string::npos) << told.text;
}

}  // namespace
}  // namespace pqd::ctl
