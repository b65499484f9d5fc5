//! Finds the places of one file that can be broken, and how.

use proc_macro2::Span;
use std::ops::Range;
use syn::{
    Arm, BinOp, Block, Expr, ItemConst, ItemStatic, Lit, Pat, ReturnType, Stmt, Type, UnOp,
    spanned::Spanned,
    visit::{self, Visit},
};

/// One way to break one place.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub file: String,
    pub line: usize,
    pub function: String,
    pub operator: &'static str,
    /// For people: what becomes of what.
    pub what: String,
    /// The bytes that are wrapped.
    pub range: Range<usize>,
    /// How many of them, at the beginning, are taken away.
    pub cut: usize,
    /// What is put before and behind them; `@` stands for the mutant's number.
    pub before: String,
    pub after: String,
}

pub fn mutants(file: &str, source: &str) -> Result<Vec<Mutant>, syn::Error> {
    let parsed = syn::parse_file(source)?;
    let mut finder = Finder { file, source, function: String::new(), found: Vec::new() };
    finder.visit_file(&parsed);
    Ok(finder.found)
}

struct Finder<'a> {
    file: &'a str,
    source: &'a str,
    function: String,
    found: Vec<Mutant>,
}

const ON: &str = "crate::mutant::on(@)";

impl Finder<'_> {
    fn text(&self, span: Span) -> &str {
        &self.source[span.byte_range()]
    }

    fn add(&mut self, operator: &'static str, span: Span, what: String, before: String, after: String) {
        let squeezed = what.split_whitespace().collect::<Vec<_>>().join(" ");
        self.found.push(Mutant {
            file: self.file.to_owned(),
            line: span.start().line,
            function: self.function.clone(),
            operator,
            what: squeezed,
            range: span.byte_range(),
            cut: 0,
            before,
            after,
        });
    }

    /// The expression or, with the mutant on, `other`.
    fn either(&mut self, operator: &'static str, span: Span, other: &str) {
        let what = format!("{} → {other}", self.text(span));
        self.add(operator, span, what, format!("(if {ON} {{ {other} }} else {{ "), " })".to_owned());
    }

    fn negate(&mut self, operator: &'static str, expr: &Expr) {
        let what = format!("negated: {}", self.text(expr.span()));
        self.add(operator, expr.span(), what, "((".to_owned(), format!(") != {ON})"));
    }

    /// A condition that no other operator changes.
    fn condition(&mut self, expr: &Expr) {
        match expr {
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                self.condition(&binary.left);
                self.condition(&binary.right);
            }
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Path(_) | Expr::Field(_) | Expr::Macro(_) => {
                self.negate("negation", expr)
            }
            _ => {}
        }
    }

    fn body(&mut self, output: &ReturnType, block: &Block) {
        let answers: Vec<String> = match output {
            ReturnType::Default => vec![String::new()],
            ReturnType::Type(_, ty) => match &**ty {
                Type::Path(path) => {
                    let last = path
                        .path
                        .segments
                        .last()
                        .map(|segment| segment.ident.to_string())
                        .unwrap_or_default();
                    match last.as_str() {
                        "bool" => vec!["true".to_owned(), "false".to_owned()],
                        "Option" => vec!["None".to_owned()],
                        "Result" => vec!["Ok(Default::default())".to_owned()],
                        _ => vec!["Default::default()".to_owned()],
                    }
                }
                Type::Reference(_) | Type::Tuple(_) => vec!["Default::default()".to_owned()],
                _ => Vec::new(),
            },
        };
        let Some(first) = block.stmts.first() else { return };
        // A body that is the default already cannot be told apart.
        let own = self.text(block.span()).trim_matches(['{', '}', ' ', '\n']).to_owned();
        for answer in answers.into_iter().filter(|answer| *answer != own) {
            let what = format!("returns {answer} at once");
            self.add(
                "return",
                first.span(),
                what.clone(),
                format!("if {ON} {{ return {answer}; }} "),
                String::new(),
            );
        }
    }

    fn literal(&mut self, lit: &Lit) {
        let span = lit.span();
        match lit {
            Lit::Int(_) => {
                let text = self.text(span).to_owned();
                self.either("number", span, &format!("{text} + 1"));
            }
            // What has a blank in it is said to people, and no test should hold its wording.
            Lit::Str(text) if !text.value().trim().contains(' ') => {
                let other =
                    if text.value().is_empty() { "x".to_owned() } else { format!("{}x", text.value()) };
                self.either("string", span, &format!("{other:?}"));
            }
            Lit::ByteStr(text) => {
                let mut other = text.value();
                let Some(last) = other.last_mut() else { return };
                *last = if *last == b'x' { b'y' } else { b'x' };
                self.either("string", span, &format!("b\"{}\"", other.escape_ascii()));
            }
            Lit::Byte(_) => self.either("string", span, "b'\\x01'"),
            Lit::Char(_) => self.either("string", span, "'\\u{1}'"),
            Lit::Bool(value) => self.either("boolean", span, if value.value { "false" } else { "true" }),
            _ => {}
        }
    }
}

/// Whether an operand of `&&` binds names, so that it can be nothing but an operand.
fn binds(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}

fn catches_all(arm: &Arm) -> bool {
    let name =
        |pat: &syn::PatIdent| pat.ident.to_string().starts_with(char::is_lowercase) && pat.subpat.is_none();
    arm.guard.is_none()
        && (matches!(&arm.pat, Pat::Wild(_)) || matches!(&arm.pat, Pat::Ident(pat) if name(pat)))
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")) {
            visit::visit_item_mod(self, item);
        }
    }

    // What must be known when it is compiled cannot depend on a switch.
    fn visit_item_const(&mut self, _: &'ast ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'ast ItemStatic) {}
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outer = std::mem::replace(&mut self.function, item.sig.ident.to_string());
        if item.sig.constness.is_none()
            && !item.attrs.iter().any(|attribute| attribute.path().is_ident("test"))
        {
            self.body(&item.sig.output, &item.block);
            visit::visit_item_fn(self, item);
        }
        self.function = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let outer = std::mem::replace(&mut self.function, item.sig.ident.to_string());
        if item.sig.constness.is_none() {
            self.body(&item.sig.output, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
        self.function = outer;
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        if let Stmt::Expr(expr, Some(_)) = stmt {
            let effect = match expr {
                Expr::MethodCall(call) => call.attrs.is_empty(),
                Expr::Call(call) => call.attrs.is_empty(),
                Expr::Assign(assign) => assign.attrs.is_empty(),
                Expr::Binary(binary) => binary.attrs.is_empty(),
                _ => false,
            };
            if effect {
                let what = format!("deleted: {}", self.text(stmt.span()));
                self.add("deletion", stmt.span(), what, format!("if !{ON} {{ "), " }".to_owned());
            }
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.condition(&expr.cond);
        visit::visit_expr_if(self, expr);
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.condition(&expr.cond);
        visit::visit_expr_while(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        if matches!(expr.op, UnOp::Not(_)) {
            self.negate("negation", &Expr::Unary(expr.clone()));
        }
        visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        let whole = Expr::Binary(expr.clone());
        let with = |finder: &mut Self, operator, sign: &str| {
            let other =
                format!("{} {sign} {}", finder.text(expr.left.span()), finder.text(expr.right.span()));
            finder.either(operator, whole.span(), &other);
        };
        match expr.op {
            BinOp::And(_) if !binds(&whole) => with(self, "and/or", "||"),
            BinOp::Or(_) if !binds(&whole) => with(self, "and/or", "&&"),
            BinOp::Eq(_) => with(self, "comparison", "!="),
            BinOp::Ne(_) => with(self, "comparison", "=="),
            BinOp::Lt(_) => with(self, "comparison", "<="),
            BinOp::Le(_) => with(self, "comparison", "<"),
            BinOp::Gt(_) => with(self, "comparison", ">="),
            BinOp::Ge(_) => with(self, "comparison", ">"),
            BinOp::Add(_) => with(self, "arithmetic", "-"),
            BinOp::Sub(_) => with(self, "arithmetic", "+"),
            _ => {}
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        let caught = expr.arms.iter().any(catches_all);
        for (at, arm) in expr.arms.iter().enumerate() {
            let pattern = self.text(arm.pat.span()).to_owned();
            if caught && !catches_all(arm) {
                match &arm.guard {
                    None => self.add(
                        "arm",
                        arm.pat.span(),
                        format!("skipped: {pattern}"),
                        String::new(),
                        format!(" if !{ON}"),
                    ),
                    Some((_, guard)) if !binds(guard) => self.either("arm", guard.span(), "false"),
                    Some(_) => {}
                }
            } else if let Some(next) = expr.arms.get(at + 1) {
                let own = self.text(arm.body.span()).to_owned();
                let other = self.text(next.body.span()).to_owned();
                if own != other && other.len() < 80 && !other.starts_with('{') {
                    // In braces: an arm that is a block need not have a comma.
                    let before = format!("{{if {ON} {{ {other} }} else {{");
                    self.add("arm", arm.body.span(), format!("{own} → {other}"), before, "}}".to_owned());
                }
            }
            if let Some((_, guard)) = &arm.guard {
                self.condition(guard);
            }
        }
        visit::visit_expr_match(self, expr);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func
            && path.path.is_ident("Some")
            && self.text(call.span()).starts_with("Some(")
        {
            let what = format!("{} → None", self.text(call.span()));
            self.add("none", call.span(), what, "crate::mutant::some(@, ".to_owned(), String::new());
            if let Some(mutant) = self.found.last_mut() {
                mutant.cut = "Some(".len();
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_lit(&mut self, expr: &'ast syn::ExprLit) {
        self.literal(&expr.lit);
    }
}
