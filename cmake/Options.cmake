# Compiler flags that every target of the project shares, carried by one interface target.
include(GNUInstallDirs)
find_program(PQD_CCACHE ccache)
if(PQD_CCACHE)
  # Paths relative to the source tree, so that another clone finds what this one has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    ${PQD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

add_library(pqd_options INTERFACE)
target_compile_options(pqd_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual> -Wnull-dereference -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these two inside libstdc++ once sanitizers or -O2 inline it.
  target_compile_options(pqd_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
target_include_directories(pqd_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(pqd_options INTERFACE PQD_VERSION="${PROJECT_VERSION}")
if(PQD_SANITIZE)
  target_compile_options(pqd_options INTERFACE -fsanitize=${PQD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(pqd_options INTERFACE -fsanitize=${PQD_SANITIZE})
endif()

# pqd_library(NAME SOURCES a.cpp ... LIBS x y): a static library of the project.
function(pqd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC pqd_options ${ARG_LIBS})
endfunction()

if(PQD_TESTS)
  add_custom_target(pqd_tsan_tests)
  add_custom_target(pqd_plain_tests)
endif()

# pqd_test(NAME SOURCES a.cpp ... LIBS x y [LABELS l]): one GoogleTest program, each of its cases a ctest test
# "NAME/Suite.Case".
# TREE_PATHS a.cpp ...: those of the sources that use PQD_BIN_DIR or PQD_SOURCE_DIR. No other object depends on where
# the tree stands, so that a compiler cache serves every clone.
# LABELS tsan marks a program that the tsan preset runs as well; the target pqd_tsan_tests builds all of these.
# LABELS plain the same for the quick preset and pqd_plain_tests: its tests do something that no sanitizer bears.
function(pqd_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS;TREE_PATHS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE pqd_options ${ARG_LIBS} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(ARG_TREE_PATHS)
    set_source_files_properties(${ARG_TREE_PATHS} PROPERTIES COMPILE_DEFINITIONS
      "PQD_BIN_DIR=\"${CMAKE_BINARY_DIR}/bin\";PQD_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
  endif()
  if("tsan" IN_LIST ARG_LABELS)
    add_dependencies(pqd_tsan_tests ${name})
  endif()
  if("plain" IN_LIST ARG_LABELS)
    add_dependencies(pqd_plain_tests ${name})
  endif()
  gtest_discover_tests(${name} TEST_PREFIX ${name}/ DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
