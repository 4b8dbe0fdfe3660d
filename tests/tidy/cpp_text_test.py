"""Tests of what tidy makes of C++ text."""

import unittest

import cpp_text


def functions(*lines):
    return cpp_text.Source("a.cc", "\n".join(lines) + "\n").functions


class BlankTest(unittest.TestCase):

    def test_comments_and_literals_become_spaces(self):
        for text, code in (
                ("a // b", "a     "),
                ("a /* b\nc */ d", "a     \n     d"),
                ("a /* b **/ c", "a           c".replace("           ", " " * 10)),
                ('"a\\"b" c', '"    " c'),
                ("'\\'' c", "'  ' c"),
                ('R"(a"\nb)" c', '"    \n  " c'),
                ('R"x(a)")x" c', '"        " c'),
                ('u8R"(a)" L"a"', '"      " L" "'),
                ("1'000'000 'a'", "1'000'000 ' '"),
                ("0xFF'FFu 'a'", "0xFF'FFu ' '"),
                ('"//" a', '"  " a'),
                ("// \"\n'a'", "    \n' '"),
                ("// a \\\nb\nc", "      \n \nc")):
            with self.subTest(text):
                self.assertEqual(cpp_text.blank_comments_and_literals(text), code)
                self.assertEqual(len(text), len(code))


class FindFunctionsTest(unittest.TestCase):

    def assert_one(self, name, *lines, first=1, count=None):
        with self.subTest(lines[0]):
            self.assertEqual(functions(*lines),
                             [(name, first, count or len(lines) - first + 1)])

    def test_kinds_of_functions(self):
        for name, head in (
                ("F", "int F(int a, X b = {}) {"),
                ("A::F", "std::map<A, B<C>> A::F(int (*f)(int)) const noexcept {"),
                ("A::~A", "A::~A() {"),
                ("F", "template <typename T, int n = (3 > 2)> T F() {"),
                ("F", "template <typename T> requires std::integral<T> T F(T t) {"),
                ("F", "T F(T t) requires std::integral<T> {"),
                ("F", "auto F(int a) -> std::optional<int> {"),
                ("A::A", "A::A(int a) : a_(a), b_{a}, c_(F(a)) {"),
                ("A::A", "A::A(int a) : a_{a}, b_{} {"),
                ("A::A", "A::A(int a) noexcept : Base<int>{a} {"),
                ("operator==", "bool operator==(A a, A b) {"),
                ("A::operator<=>", "auto A::operator<=>(const A& a) const {"),
                ("A::operator()", "void A::operator()(int a) const {"),
                ("A::operator bool", "A::operator bool() const {"),
                ("F", "[[nodiscard]] int F() ABSL_NO_THREAD_SAFETY_ANALYSIS {"),
                ("F", "void F() ABSL_LOCKS_EXCLUDED(mutex_) override {"),
                ("F", "struct tm F(int a) {"),
                ("Suite.Name", "TEST(Suite, Name) {"),
                ("Suite.Name", "TEST_F(Suite, Name) {"),
                ("Suite.Name", "TYPED_TEST(Suite, Name) {")):
            self.assert_one(name, head, "  if (x) {", "    y();", "  }", "}")

    def test_scopes(self):
        self.assert_one("Outer::Inner::F", "namespace a::b {", "namespace {", 'extern "C" {',
                        "class [[nodiscard]] Outer final : public Base<int(int)> {", " public:",
                        "  // A comment.", "  template <typename T>", "  struct Inner {",
                        "    int F() const {", "      return 1;", "    }", "  };", "};",
                        "}", "}", "}", first=9, count=3)

    def test_values_are_no_functions(self):
        for lines in (
                ["constexpr std::array<Rule, N(2)> kTable = {{", "  {1, F(2)},", "}};"],
                ["enum class E : uint8_t { kA, kB };"],
                ["struct A {", "  int a = 1;", "  std::vector<int> b{1, 2};", "  A() = default;",
                 "};"],
                ["int a[] = {1};", "A b{1};", "auto c = A{F(1)};"],
                ["int F(int a);", "using G = void(int);", "class A;"]):
            with self.subTest(lines[0]):
                self.assertEqual(functions(*lines), [])

    def test_lambda_in_a_namespace_is_a_function(self):
        self.assert_one("kF", "constexpr auto kF = [](int a) {", "  return a;", "};")
        self.assert_one("kF", "constexpr std::array<A, 2> kF = [] {", "  return F();", "}();")

    def test_what_a_macro_holds_is_skipped(self):
        self.assert_one("F", "#define M(x) \\", "  void x() { \\", "    {", "int F() {", "}",
                        first=4)

    def test_macro_before_a_function_is_no_part_of_it(self):
        self.assert_one("F", "namespace a {", "SOME_MACRO", "", "// Why.", "void F() {", "}", "}",
                        first=5, count=2)

    def test_braces_in_literals_do_not_count(self):
        self.assert_one("F", "int F() {", "  return '{' + \"{\"[0];  // {", "}")

    def test_unbalanced(self):
        for text in ("void F() {", "}", "namespace a {", "void F() { } }"):
            self.assertIsNone(functions(text), text)
