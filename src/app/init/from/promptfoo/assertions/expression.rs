//! Expressions of JavaScript, as far as they may be checks: names, literals, members, calls and comparisons.

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Name(String),
    Text(String),
    Number(f64),
    Flag(bool),
    Null,
    /// A regular expression with its flags.
    Pattern(String, String),
    List(Vec<Expression>),
    Member(Box<Expression>, String),
    Index(Box<Expression>, Box<Expression>),
    Call(Box<Expression>, Vec<Expression>),
    Not(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Pattern(String, String),
    Sign(&'static str),
}

/// Signs, longer ones first.
const SIGNS: [&str; 20] = [
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", ".", ",", "!", "<", ">", "-", ";",
    "+",
];
/// Binary operators, by rising precedence.
const LEVELS: [&[&str]; 4] = [&["||"], &["&&"], &["===", "!==", "==", "!="], &["<=", ">=", "<", ">"]];
/// Maximum length of a parsed expression in bytes, and of nested parts.
const MAX_LENGTH: usize = 4000;
const MAX_DEPTH: usize = 40;

/// Parses an expression; `None` for anything else, which is not an error: it is code.
pub(super) fn parse(code: &str) -> Option<Expression> {
    let code = code.trim().trim_end_matches(';').trim();
    if code.len() > MAX_LENGTH {
        return None;
    }
    let mut parser = Parser { tokens: tokens(code)?, at: 0, depth: 0 };
    let expression = parser.binary(0)?;
    (parser.at == parser.tokens.len()).then_some(expression)
}

fn tokens(code: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = code;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Some(tokens) };
        let (token, length) = if first.is_ascii_alphabetic() || matches!(first, '_' | '$') {
            let length = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '$'))
                .unwrap_or(rest.len());
            (Token::Name(rest.get(..length)?.to_owned()), length)
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            (Token::Number(rest.get(..length)?.parse().ok()?), length)
        } else if matches!(first, '\'' | '"' | '`') {
            text(rest, first)?
        } else if first == '/' && !ends_value(tokens.last()) {
            pattern(rest)?
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push(token);
        rest = rest.get(length..)?;
    }
}

/// Whether a slash after the token divides.
fn ends_value(token: Option<&Token>) -> bool {
    match token {
        None => false,
        Some(Token::Sign(sign)) => matches!(*sign, ")" | "]"),
        Some(_) => true,
    }
}

fn text(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut result = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            c if c == quote => return Some((Token::Text(result), at + 1)),
            '\\' => result.push(match characters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                c @ ('\\' | '\'' | '"' | '`' | '/' | '$') => c,
                _ => return None,
            }),
            '\n' if quote != '`' => return None,
            // A template literal with a value in it is code.
            '$' if quote == '`' => return None,
            c => result.push(c),
        }
    }
    None
}

fn pattern(rest: &str) -> Option<(Token, usize)> {
    let (mut in_class, mut escaped) = (false, false);
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                let after = rest.get(at + 1..)?;
                let flags = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
                let token = Token::Pattern(rest.get(1..at)?.to_owned(), after.get(..flags)?.to_owned());
                return Some((token, at + 1 + flags));
            }
            _ => {}
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if signs.contains(sign) => {
                self.at += 1;
                Some(sign)
            }
            _ => None,
        }
    }

    fn binary(&mut self, level: usize) -> Option<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.sign(operators) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression> {
        if self.sign(&["!"]).is_some() {
            return Some(Expression::Not(Box::new(self.nested(Self::unary)?)));
        }
        if self.sign(&["-"]).is_some() {
            return match self.nested(Self::unary)? {
                Expression::Number(number) => Some(Expression::Number(-number)),
                _ => None,
            };
        }
        self.postfix()
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Option<Expression>) -> Option<Expression> {
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH { None } else { parse(self) };
        self.depth -= 1;
        result
    }

    fn postfix(&mut self) -> Option<Expression> {
        let mut value = self.primary()?;
        loop {
            if self.sign(&["."]).is_some() {
                let Some(Token::Name(name)) = self.tokens.get(self.at).cloned() else { return None };
                self.at += 1;
                value = Expression::Member(Box::new(value), name);
            } else if self.sign(&["["]).is_some() {
                let index = self.nested(|parser| parser.binary(0))?;
                self.sign(&["]"])?;
                value = Expression::Index(Box::new(value), Box::new(index));
            } else if self.sign(&["("]).is_some() {
                value = Expression::Call(Box::new(value), self.list(")")?);
            } else {
                return Some(value);
            }
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        if self.sign(&["("]).is_some() {
            let inner = self.nested(|parser| parser.binary(0))?;
            self.sign(&[")"])?;
            return Some(inner);
        }
        if self.sign(&["["]).is_some() {
            return Some(Expression::List(self.list("]")?));
        }
        let token = self.tokens.get(self.at).cloned()?;
        self.at += 1;
        match token {
            Token::Name(name) => match name.as_str() {
                "true" => Some(Expression::Flag(true)),
                "false" => Some(Expression::Flag(false)),
                "null" => Some(Expression::Null),
                "new" | "typeof" | "await" | "return" | "function" | "async" | "void" | "delete" => None,
                _ => Some(Expression::Name(name)),
            },
            Token::Text(text) => Some(Expression::Text(text)),
            Token::Number(number) => Some(Expression::Number(number)),
            Token::Pattern(pattern, flags) => Some(Expression::Pattern(pattern, flags)),
            Token::Sign(_) => None,
        }
    }

    fn list(&mut self, close: &'static str) -> Option<Vec<Expression>> {
        let mut items = Vec::new();
        if self.sign(&[close]).is_some() {
            return Some(items);
        }
        loop {
            items.push(self.nested(|parser| parser.binary(0))?);
            if self.sign(&[close]).is_some() {
                return Some(items);
            }
            self.sign(&[","])?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_code_is_not_an_expression() {
        for code in [
            "",
            "output.includes(",
            "const x = 1; x",
            "`${output}`.length",
            "output => true",
            "typeof output",
            "output ? 1 : 0",
            "a = b",
            "/a/.test(output) // note",
            "'\\x41'",
            "output / 2 / 3",
        ] {
            assert_eq!(parse(code), None, "{code}");
        }
        let nested = format!("{}1{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(parse(&nested), None);
        assert_eq!(parse(&"!".repeat(3000)), None);
    }

    #[test]
    fn operators_bind_as_in_javascript() {
        let parsed = parse("!a.b && c[0] === 'x' || d > -1;").unwrap();
        let Expression::Binary("||", left, right) = parsed else { panic!("{parsed:?}") };
        assert!(matches!(*left, Expression::Binary("&&", ..)), "{left:?}");
        let number = Expression::Number(-1.0);
        assert_eq!(*right, Expression::Binary(">", Box::new(Expression::Name("d".into())), Box::new(number)));
        let pattern = parse("/[/]\\/x/gi.test(output)").unwrap();
        let Expression::Call(callee, _) = pattern else { panic!("{pattern:?}") };
        let inner = Expression::Pattern("[/]\\/x".into(), "gi".into());
        assert_eq!(*callee, Expression::Member(Box::new(inner), "test".into()));
    }
}
